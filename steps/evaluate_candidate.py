"""Step: a version of the registry is evaluated on the test split."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

from zenml import step

from florence2.adapters import Registry
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation import Evaluated, evaluate_weights
from florence2.promotion import Candidate
from materializers.evaluated import EvaluatedMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code
from steps.uncached_settings import with_uncached

__all__ = ["evaluate_candidate"]


@step(cache_policy=follow_code(__file__), output_materializers=EvaluatedMaterializer, experiment_tracker=True)
def evaluate_candidate(
    candidate: Candidate,
    failure: str,
    test_data: DatasetManifest,
    evaluation: EvaluationConfig,
    metric_code: str,  # noqa: ARG001
) -> Annotated[Evaluated, "evaluated"]:
    """Evaluate the model that the registry returns, whatever was measured when it was registered.

    Cached by the content of model and split: a champion is not evaluated again until one of them changes.

    Args:
        candidate: the version.
        failure: why it cannot be loaded, as the infrastructure check found; if it is not empty, nothing is evaluated.
        test_data: the split test.
        evaluation: how answers are generated and evaluated.
        metric_code: of the user's own metrics; an edit changes the cache key.
    """
    if failure:
        return Evaluated.nothing()
    evaluation = with_uncached("evaluation", evaluation)
    fetch_packed(test_data.source)
    with tempfile.TemporaryDirectory(prefix="florence2-") as folder:
        weights = Registry(candidate.tracking_uri, candidate.name).download_into(Path(folder), candidate.version)
        return evaluate_weights(weights, f"{candidate.name} version {candidate.version}", test_data, evaluation)
