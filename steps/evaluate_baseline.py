"""Step: answers without seeing the image are evaluated on the test split."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation import Evaluated, describe
from florence2.evaluation import evaluate_baseline as evaluate_without_images
from materializers.evaluated import EvaluatedMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code

__all__ = ["evaluate_baseline"]


@step(cache_policy=follow_code(__file__), output_materializers=EvaluatedMaterializer)
def evaluate_baseline(
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    evaluation: EvaluationConfig,
    metric_code: str,  # noqa: ARG001
) -> Annotated[Evaluated, "evaluated"]:
    """Evaluate the best answers without seeing the image, which a challenger must be better than.

    Args:
        training_data: the splits train and valid; the answers are chosen on train.
        test_data: the split test.
        evaluation: which metrics are computed, and the number of resamples.
        metric_code: of the user's own metrics; an edit changes the cache key.
    """
    fetch_packed(test_data.source)
    evaluated = evaluate_without_images(training_data.select("train"), test_data, evaluation)
    return Evaluated(*describe(evaluated, evaluation))
