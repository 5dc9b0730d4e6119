"""A project of one's own: a data set is looked at, and a commented configuration written that suits it."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
