"""Fine-tune Microsoft's Florence-2 on your own images, evaluate it honestly, and register the result.

    from florence2 import Configuration, load, train

    result = train(Configuration(dataset="my/cards", epochs=10, batch_size=8))
    model = load(result.folder)
    model.detect("a.png").class_name

Names are loaded when they are first used, so that ``import florence2`` and ``florence2 --help`` answer at once.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from florence2.codec.detections import Detections as Detections
    from florence2.codec.tasks import AnswerKind as AnswerKind
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
    from florence2.evaluation.metrics.figure import Figure as Figure
    from florence2.evaluation.metrics.grounding import GroundingAccuracyMetric as GroundingAccuracyMetric
    from florence2.evaluation.metrics.metric import AnswerMetric as AnswerMetric
    from florence2.evaluation.metrics.metric import Metric as Metric
    from florence2.evaluation.metrics.regions import MeanIoUMetric as MeanIoUMetric
    from florence2.evaluation.metrics.regions import OCRRegionF1Metric as OCRRegionF1Metric
    from florence2.evaluation.metrics.text import CharacterErrorRateMetric as CharacterErrorRateMetric
    from florence2.evaluation.metrics.text import WordErrorRateMetric as WordErrorRateMetric
    from florence2.evaluation.report import EvaluationReport as EvaluationReport
    from florence2.evaluation.report import ModelEvaluation as ModelEvaluation
    from florence2.inference.generation import Prediction as Prediction
    from florence2.model.checkpoint import Checkpoint as Checkpoint
    from florence2.sdk import Model as Model
    from florence2.sdk import TrainingResult as TrainingResult
    from florence2.sdk import evaluate as evaluate
    from florence2.sdk import load as load
    from florence2.sdk import predict as predict
    from florence2.sdk import train as train
    from florence2.training.history import EpochRecord as EpochRecord
    from florence2.training.history import StepRecord as StepRecord
    from florence2.training.history import TrainingHistory as TrainingHistory

    __version__: str

_HOMES = {
    "ANLSMetric": "florence2.evaluation.metrics.answers",
    "AnswerKind": "florence2.codec.tasks",
    "AnswerMetric": "florence2.evaluation.metrics.metric",
    "BLEUMetric": "florence2.evaluation.metrics.captions",
    "CIDErMetric": "florence2.evaluation.metrics.cider",
    "CharacterErrorRateMetric": "florence2.evaluation.metrics.text",
    "Checkpoint": "florence2.model.checkpoint",
    "ChrFMetric": "florence2.evaluation.metrics.captions",
    "Configuration": "florence2.config",
    "Detections": "florence2.codec.detections",
    "EpochRecord": "florence2.training.history",
    "EvaluationReport": "florence2.evaluation.report",
    "ExactAnswerMetric": "florence2.evaluation.metrics.answers",
    "Figure": "florence2.evaluation.metrics.figure",
    "Florence2Error": "florence2.errors",
    "GroundingAccuracyMetric": "florence2.evaluation.metrics.grounding",
    "MeanAveragePrecisionMetric": "florence2.evaluation.metrics.detection",
    "MeanIoUMetric": "florence2.evaluation.metrics.regions",
    "Metric": "florence2.evaluation.metrics.metric",
    "Model": "florence2.sdk",
    "ModelEvaluation": "florence2.evaluation.report",
    "OCRRegionF1Metric": "florence2.evaluation.metrics.regions",
    "Prediction": "florence2.inference.generation",
    "RelaxedAccuracyMetric": "florence2.evaluation.metrics.answers",
    "RougeLMetric": "florence2.evaluation.metrics.captions",
    "StepRecord": "florence2.training.history",
    "TrainingHistory": "florence2.training.history",
    "TrainingResult": "florence2.sdk",
    "VQAAccuracyMetric": "florence2.evaluation.metrics.answers",
    "WordErrorRateMetric": "florence2.evaluation.metrics.text",
    "evaluate": "florence2.sdk",
    "load": "florence2.sdk",
    "predict": "florence2.sdk",
    "train": "florence2.sdk",
}

__all__ = [
    "ANLSMetric",
    "AnswerKind",
    "AnswerMetric",
    "BLEUMetric",
    "CIDErMetric",
    "CharacterErrorRateMetric",
    "Checkpoint",
    "ChrFMetric",
    "Configuration",
    "Detections",
    "EpochRecord",
    "EvaluationReport",
    "ExactAnswerMetric",
    "Figure",
    "Florence2Error",
    "GroundingAccuracyMetric",
    "MeanAveragePrecisionMetric",
    "MeanIoUMetric",
    "Metric",
    "Model",
    "ModelEvaluation",
    "OCRRegionF1Metric",
    "Prediction",
    "RelaxedAccuracyMetric",
    "RougeLMetric",
    "StepRecord",
    "TrainingHistory",
    "TrainingResult",
    "VQAAccuracyMetric",
    "WordErrorRateMetric",
    "__version__",
    "evaluate",
    "load",
    "predict",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("florence2-finetune")
    raise AttributeError(f"module 'florence2' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
