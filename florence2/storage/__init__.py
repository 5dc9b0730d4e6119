"""Files: written whole or not at all, cached, hashed, packed, fetched; and which paths may be trusted. No torch."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
