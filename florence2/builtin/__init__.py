"""Built-in data: generated scenes with exact boxes, the data sets of them, and two small base models."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
