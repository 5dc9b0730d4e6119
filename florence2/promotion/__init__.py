"""May a challenger become champion? A pure decision over what was measured, and the page that explains it."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
