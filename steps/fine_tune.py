"""Step: the fine-tune."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

from zenml import step

from florence2.adapters.mlflow.tracking import log_metrics, log_settings
from florence2.config import ModelConfig, TrainingConfig
from florence2.data.manifest import DatasetManifest
from florence2.model.checkpoint import Checkpoint
from materializers.checkpoint import CheckpointMaterializer
from steps.code_dependencies import follow_code

__all__ = ["fine_tune"]


@step(
    cache_policy=follow_code(__file__),
    output_materializers=CheckpointMaterializer,
    experiment_tracker=True,
)
def fine_tune(
    training_data: DatasetManifest,
    model: ModelConfig,
    training: TrainingConfig,
    base_content: str,  # noqa: ARG001
) -> Annotated[Checkpoint, "checkpoint"]:
    """Train on the train split, keep the best epoch by the valid split, log to MLflow meanwhile.

    Args:
        training_data: the splits train and valid.
        model: the base.
        training: the recipe.
        base_content: fingerprint of the base; a changed base changes the cache key.
    """
    # torch and transformers take seconds to import; a run in which this step is cached never needs them.
    from florence2.training.fit import fit

    log_settings(model=model, training=training)
    folder = tempfile.mkdtemp(prefix="florence2-")
    # The artifact store copies the checkpoint after this function has returned.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return fit(training_data, model, training, Path(folder), sink=log_metrics)
