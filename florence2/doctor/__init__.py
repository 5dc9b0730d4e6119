"""The checks of ``florence2 doctor``: is everything there that a fine-tune needs, and what to do where it is not.

A check is a function that takes nothing and returns a list of ``Finding``. Other packages add theirs by an entry point
of the group ``florence2.checks``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
