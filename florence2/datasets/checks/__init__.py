"""The checks of a data set. What a rule needs, in this package or in another, can be imported from here."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
