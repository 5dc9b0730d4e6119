"""The evaluation of answers: metrics, a split, two models compared. The metrics do not import torch."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
