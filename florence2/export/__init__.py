"""Models for other programs: folders for transformers, Microsoft's own code or onnxruntime, with their cards."""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
