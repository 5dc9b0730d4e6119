"""The same road without ZenML: ``train``, ``load``, ``evaluate``, ``predict`` for scripts, notebooks, the command."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
