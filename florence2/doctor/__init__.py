"""The checks of ``florence2 doctor``: do the installation and the machine fit a fine-tune, and what are the remedies.

A check is a function without parameters that returns a list of ``Finding``. Other packages add checks by an entry point
of the group ``florence2.checks``.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
