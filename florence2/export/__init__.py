"""Models for other programs: a folder that plain transformers or onnxruntime loads, with its model card."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
