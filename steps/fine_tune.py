"""Step: the fine-tune."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from zenml import step

from florence2.adapters import log_image, log_metrics, log_settings
from florence2.config import EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.model import Checkpoint
from florence2.storage import cache_folder
from materializers.checkpoint import CheckpointMaterializer
from steps.artifact_store import fetch_packed, file_system, remote_folder
from steps.code_dependencies import code_of, follow_code
from steps.training_settings import TrainingSettings
from steps.uncached_settings import with_uncached

if TYPE_CHECKING:
    from florence2.training import UploadedRun

__all__ = ["fine_tune"]


_EVALUATOR = "florence2.evaluation.epoch_evaluator"


@step(
    cache_policy=follow_code(__file__, but_not=[_EVALUATOR]),
    output_materializers=CheckpointMaterializer,
    experiment_tracker=True,
)
def fine_tune(
    training_data: DatasetManifest,
    model: ModelConfig,
    settings: TrainingSettings,
    base_content: str,
) -> Annotated[Checkpoint, "checkpoint"]:
    """Train on the train split, keep the best epoch by the valid split, log to MLflow meanwhile.

    A run that was killed continues from its last save; with a remote artifact store also on another machine, from its
    last upload.

    Args:
        training_data: the splits train and valid.
        model: the base.
        settings: the recipe; where the best epoch is chosen by answers, also how these are generated and evaluated.
        base_content: fingerprint of the base; a changed base changes the cache key.
    """
    # torch and transformers take seconds to import; a run in which this step is cached never needs them.
    from florence2.evaluation import EpochEvaluator
    from florence2.training import Monitoring, RunStorage, fit, forget_old_runs, run_identity

    training = with_uncached("training", settings.training)
    evaluation = with_uncached("evaluation", settings.evaluation) if settings.evaluation else EvaluationConfig()
    log_settings(model=model, training=training)
    fetch_packed(training_data.source, model.base)
    evaluator = EpochEvaluator.of(training_data.select("valid"), training, evaluation)
    # A run that was killed is not continued by edited code.
    also = {**evaluator.identity, "code": code_of(__name__), "evaluator_code": settings.evaluator_code}
    identity = json.dumps({**run_identity(training_data, base_content, training), **also}, sort_keys=True)
    runs = cache_folder("runs")
    forget_old_runs(runs)
    name = hashlib.sha256(identity.encode()).hexdigest()[:24]
    folder = tempfile.mkdtemp(prefix="florence2-")
    # The artifact store copies the checkpoint after this function has returned.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return fit(
        training_data,
        model,
        training,
        Path(folder),
        # The run is kept: if storing the checkpoint fails, nothing is trained again.
        storage=RunStorage(runs / name, identity=also, uploaded=_uploaded(name, training), keep=True),
        monitoring=Monitoring(sink=log_metrics, preview=log_image, evaluator=evaluator),
    )


def _uploaded(name: str, training: TrainingConfig) -> UploadedRun | None:
    """Return where a run is uploaded to; None if the artifact store is on this machine, as the folder of the run is."""
    from florence2.training import UploadedRun, forget_old_uploads

    store = remote_folder()
    if store is None:
        return None
    forget_old_uploads(f"{store}/runs", file_system(f"{store}/runs"))
    address = f"{store}/runs/{name}"
    return UploadedRun(address, partial(file_system, address), training.engine.save_minutes)
