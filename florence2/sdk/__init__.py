"""Training without ZenML: ``train``, ``tune``, ``load``, ``evaluate``, ``predict``, in scripts and for the command."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
