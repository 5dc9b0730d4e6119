"""Formats of data sets. What the reader of a format needs, in this package or in another, can be imported from here."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
