"""From a folder of images and annotations to a checked, split manifest. No torch."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
