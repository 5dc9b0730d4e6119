"""Step: what a search varies, and how long its trials are."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from zenml import log_metadata, step

from florence2.config import EvaluationConfig, ModelConfig, SearchConfig
from florence2.datasets import DatasetManifest
from florence2.tuning import SearchPlan, TrialData
from florence2.tuning import plan_search as plan
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code
from steps.training_settings import TrainingSettings
from steps.uncached_settings import with_uncached

__all__ = ["plan_search"]


@step(cache_policy=follow_code(__file__))
def plan_search(
    training_data: DatasetManifest,
    model: ModelConfig,
    settings: TrainingSettings,
    evaluation: EvaluationConfig,
    search: SearchConfig,
    given: list[str],
    base_content: str,  # noqa: ARG001
) -> Annotated[SearchPlan, "plan"]:
    """Choose the space; where the time is limited, measure an epoch.

    Args:
        training_data: the splits train and valid.
        model: the base.
        settings: without a search, all of them chosen.
        evaluation: how answers are generated and evaluated.
        search: the time, the number of trials, the user's own space.
        given: names of the settings that the user gave, which do not vary.
        base_content: fingerprint of the base; a changed base changes the cache key.
    """
    fetch_packed(training_data.source, model.base)
    data = TrialData(training_data, model, with_uncached("evaluation", evaluation))
    training = with_uncached("training", settings.training)
    with tempfile.TemporaryDirectory(prefix="florence2-") as folder:
        planned = plan(search, data, training, given, Path(folder) / "pace")
    log_metadata(metadata={"epochs": planned.length.epochs, "space": ", ".join(planned.space), "score": planned.score})
    return planned
