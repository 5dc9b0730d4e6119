"""Step: one trial of a search."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from typing import Annotated, Any

from zenml import log_metadata, step

from florence2.config import EvaluationConfig, ModelConfig
from florence2.datasets import DatasetManifest
from florence2.storage import cache_folder
from florence2.tuning import EndedTrial, Trial, TrialData
from florence2.tuning import run_trial as run
from steps.artifact_store import fetch_packed
from steps.code_dependencies import code_of, follow_code
from steps.uncached_settings import with_uncached

__all__ = ["run_trial"]

_TRAINING = threading.Lock()
"""On a local stack the trials that were proposed together are threads of one process, with one state of the random
numbers: they train one after the other, with the results that they have on machines of their own."""


@step(cache_policy=follow_code(__file__))
def run_trial(
    trial: dict[str, Any],
    training_data: DatasetManifest,
    model: ModelConfig,
    evaluation: EvaluationConfig,
    base_content: str,
) -> Annotated[EndedTrial, "trial"]:
    """Train with the settings of a trial and evaluate on the validation split; one that was killed continues.

    Args:
        trial: as ``propose_trials`` returned it.
        training_data: the splits train and valid.
        model: the base.
        evaluation: how answers are generated and evaluated.
        base_content: fingerprint of the base; a changed base changes the cache key.
    """
    from florence2.training import forget_old_runs

    fetch_packed(training_data.source, model.base)
    proposed = Trial.model_validate(trial)
    training = with_uncached("training", proposed.training)
    data = TrialData(training_data, model, with_uncached("evaluation", evaluation))
    identity = json.dumps(
        [trial, training_data.fingerprint, base_content, evaluation.model_dump_json(), code_of(__name__)]
    )
    runs = cache_folder("runs")
    folder = runs / hashlib.sha256(identity.encode()).hexdigest()[:24]
    with _TRAINING:
        forget_old_runs(runs)
        ended = run(proposed.model_copy(update={"training": training}), data, folder)
    shutil.rmtree(folder, ignore_errors=True)
    log_metadata(metadata={"number": ended.number, "state": ended.state, "epochs": len(ended.scores)})
    return ended.model_copy(update={"trial": proposed})
