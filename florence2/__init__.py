"""Fine-tune Microsoft's Florence-2 on your own images, evaluate it honestly, and register the result.

    from florence2 import Configuration, train

    result = train(Configuration(dataset="my/cards", epochs=10, batch_size=8))

Names are loaded when they are first used, so that ``import florence2`` and ``florence2 --help`` answer at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from florence2.codec.detections import Detections as Detections
    from florence2.config import Configuration as Configuration
    from florence2.errors import Florence2Error as Florence2Error
    from florence2.evaluation.detection import MeanAveragePrecisionMetric as MeanAveragePrecisionMetric
    from florence2.model.checkpoint import Checkpoint as Checkpoint
    from florence2.sdk import TrainingResult as TrainingResult
    from florence2.sdk import evaluate as evaluate
    from florence2.sdk import predict as predict
    from florence2.sdk import train as train

_HOMES = {
    "Checkpoint": "florence2.model.checkpoint",
    "Configuration": "florence2.config",
    "Detections": "florence2.codec.detections",
    "Florence2Error": "florence2.errors",
    "MeanAveragePrecisionMetric": "florence2.evaluation.detection",
    "TrainingResult": "florence2.sdk",
    "evaluate": "florence2.sdk",
    "predict": "florence2.sdk",
    "train": "florence2.sdk",
}

__all__ = [
    "Checkpoint",
    "Configuration",
    "Detections",
    "Florence2Error",
    "MeanAveragePrecisionMetric",
    "TrainingResult",
    "evaluate",
    "predict",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'florence2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
