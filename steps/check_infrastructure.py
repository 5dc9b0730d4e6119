"""Step: a fresh process loads a candidate from the registry and answers requests in time."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.adapters import check_serving, sample_requests
from florence2.config import PromotionConfig
from florence2.datasets import DatasetManifest
from florence2.promotion import Candidate, ServingCheck
from steps.artifact_store import fetch_packed

__all__ = ["check_infrastructure"]


# Never cached: each run measures whether the registry still has the model, and how fast it answers.
@step(enable_cache=False, experiment_tracker=True)
def check_infrastructure(
    candidate: Candidate, test_data: DatasetManifest, promotion: PromotionConfig
) -> tuple[Annotated[ServingCheck, "served"], Annotated[str, "failure"]]:
    """Return how the model serves, and why it does not; the second is an artifact of its own, without seconds.

    Args:
        candidate: the version.
        test_data: the split test, whose images are in the requests.
        promotion: the time limit.
    """
    fetch_packed(test_data.source)
    served = check_serving(candidate, sample_requests(test_data), promotion.serving_seconds)
    return served, served.failure
