"""Step: the checkpoint is registered."""

from __future__ import annotations

from typing import Annotated

from zenml import get_step_context, log_metadata, step

from florence2.adapters import RegisteredModel, Registry, register
from florence2.config import Configuration, EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation import EvaluationReport
from florence2.model import Checkpoint
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code
from steps.mirror_registry import link, mirror
from steps.training_settings import TrainingSettings
from steps.uncached_settings import with_uncached

__all__ = ["register_model"]


# The report is an input, and holds what these modules compute.
_REPORT = ["florence2.evaluation.metrics.registry", "florence2.evaluation.analysis.analyse"]


@step(cache_policy=follow_code(__file__, but_not=_REPORT), experiment_tracker=True)
def register_model(
    checkpoint: Checkpoint,
    evaluation_report: EvaluationReport,
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    settings: TrainingSettings,
    evaluation: EvaluationConfig,
    configuration: Configuration,
) -> Annotated[RegisteredModel, "registered_model"]:
    """Make a new MLflow model version, and link it and the ZenML model version to each other.

    Args:
        checkpoint: the fine-tuned model.
        evaluation_report: its scores.
        training_data: what it was trained on.
        test_data: what it was tested on.
        settings: of the training.
        evaluation: how it was tested.
        configuration: the other settings of the run, with the name and the alias; all are stored.
    """
    complete = {
        "training": with_uncached("training", settings.training),
        "evaluation": with_uncached("evaluation", evaluation),
    }
    configuration = configuration.model_copy(update=complete)
    fetch_packed(checkpoint.base)
    registered = register(checkpoint, evaluation_report, training_data, test_data, configuration)
    log_metadata(metadata={"mlflow": registered.model_dump()}, infer_model=True)
    registry = Registry(registered.tracking_uri, registered.name)
    link(registry, registered.version, get_step_context().model.id)
    mirror(registry)
    return registered
