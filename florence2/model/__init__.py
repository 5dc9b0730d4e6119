"""Models with their processors: find, load, adapt, encode for, save. No training and no generation."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
