"""The language of Florence-2: task tokens, location bins, answers as text. No torch."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
