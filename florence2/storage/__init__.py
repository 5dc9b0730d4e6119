"""Files: atomic writes, caches, hashes, archives, remote folders, packed folders, and checks of paths. No torch."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
