"""``florence2 init``: reads a data set and writes a project with a commented configuration for it."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
