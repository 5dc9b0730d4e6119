"""The same road without ZenML: ``train``, ``load``, ``evaluate``, ``predict`` for scripts, notebooks, the command."""

from florence2.sdk.models import ImageInput, Model, evaluate, load, predict
from florence2.sdk.training import TrainingResult, train

__all__ = ["ImageInput", "Model", "TrainingResult", "evaluate", "load", "predict", "train"]
