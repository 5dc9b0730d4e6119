"""Whether a challenger becomes champion: a pure decision on what was measured."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
