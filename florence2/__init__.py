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
    from florence2.evaluation.metrics.answers import ANLSMetric as ANLSMetric
    from florence2.evaluation.metrics.answers import ExactAnswerMetric as ExactAnswerMetric
    from florence2.evaluation.metrics.answers import RelaxedAccuracyMetric as RelaxedAccuracyMetric
    from florence2.evaluation.metrics.answers import VQAAccuracyMetric as VQAAccuracyMetric
    from florence2.evaluation.metrics.captions import BLEUMetric as BLEUMetric
    from florence2.evaluation.metrics.captions import ChrFMetric as ChrFMetric
    from florence2.evaluation.metrics.captions import RougeLMetric as RougeLMetric
    from florence2.evaluation.metrics.cider import CIDErMetric as CIDErMetric
    from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric as MeanAveragePrecisionMetric
    from florence2.evaluation.metrics.grounding import GroundingAccuracyMetric as GroundingAccuracyMetric
    from florence2.evaluation.metrics.regions import MeanIoUMetric as MeanIoUMetric
    from florence2.evaluation.metrics.regions import OCRRegionF1Metric as OCRRegionF1Metric
    from florence2.evaluation.metrics.text import CharacterErrorRateMetric as CharacterErrorRateMetric
    from florence2.evaluation.metrics.text import WordErrorRateMetric as WordErrorRateMetric
    from florence2.model.checkpoint import Checkpoint as Checkpoint
    from florence2.sdk import TrainingResult as TrainingResult
    from florence2.sdk import evaluate as evaluate
    from florence2.sdk import predict as predict
    from florence2.sdk import train as train

_HOMES = {
    "ANLSMetric": "florence2.evaluation.metrics.answers",
    "BLEUMetric": "florence2.evaluation.metrics.captions",
    "CIDErMetric": "florence2.evaluation.metrics.cider",
    "CharacterErrorRateMetric": "florence2.evaluation.metrics.text",
    "Checkpoint": "florence2.model.checkpoint",
    "ChrFMetric": "florence2.evaluation.metrics.captions",
    "Configuration": "florence2.config",
    "Detections": "florence2.codec.detections",
    "ExactAnswerMetric": "florence2.evaluation.metrics.answers",
    "Florence2Error": "florence2.errors",
    "GroundingAccuracyMetric": "florence2.evaluation.metrics.grounding",
    "MeanAveragePrecisionMetric": "florence2.evaluation.metrics.detection",
    "MeanIoUMetric": "florence2.evaluation.metrics.regions",
    "OCRRegionF1Metric": "florence2.evaluation.metrics.regions",
    "RelaxedAccuracyMetric": "florence2.evaluation.metrics.answers",
    "RougeLMetric": "florence2.evaluation.metrics.captions",
    "TrainingResult": "florence2.sdk",
    "VQAAccuracyMetric": "florence2.evaluation.metrics.answers",
    "WordErrorRateMetric": "florence2.evaluation.metrics.text",
    "evaluate": "florence2.sdk",
    "predict": "florence2.sdk",
    "train": "florence2.sdk",
}

__all__ = [
    "ANLSMetric",
    "BLEUMetric",
    "CIDErMetric",
    "CharacterErrorRateMetric",
    "Checkpoint",
    "ChrFMetric",
    "Configuration",
    "Detections",
    "ExactAnswerMetric",
    "Florence2Error",
    "GroundingAccuracyMetric",
    "MeanAveragePrecisionMetric",
    "MeanIoUMetric",
    "OCRRegionF1Metric",
    "RelaxedAccuracyMetric",
    "RougeLMetric",
    "TrainingResult",
    "VQAAccuracyMetric",
    "WordErrorRateMetric",
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
