"""Image files: what they are, how they are opened, drawn upon, and found to be alike."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
