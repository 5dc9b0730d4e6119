"""Training without ZenML: ``train``, ``load``, ``evaluate``, ``predict`` for scripts, notebooks and the command."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
