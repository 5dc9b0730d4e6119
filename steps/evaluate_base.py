"""Step: the base of a challenger is evaluated on the test split."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.config import EvaluationConfig, ModelConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation import Evaluated, describe, evaluate_split
from florence2.model import load_exact
from materializers.evaluated import EvaluatedMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code
from steps.uncached_settings import with_uncached

__all__ = ["evaluate_base"]


@step(cache_policy=follow_code(__file__), output_materializers=EvaluatedMaterializer)
def evaluate_base(
    base: ModelConfig,
    base_content: str,
    test_data: DatasetManifest,
    evaluation: EvaluationConfig,
    metric_code: str,  # noqa: ARG001
) -> Annotated[Evaluated, "evaluated"]:
    """Evaluate the model that a challenger was trained from, which the challenger must be better than.

    Cached by the content of base and split: all challengers of a base share the result.

    Args:
        base: the model.
        base_content: its fingerprint when the challenger was trained.
        test_data: the split test.
        evaluation: how answers are generated and evaluated.
        metric_code: of the user's own metrics; an edit changes the cache key.
    """
    evaluation = with_uncached("evaluation", evaluation)
    fetch_packed(test_data.source, base.base)
    evaluated = evaluate_split(load_exact(base, base_content), base.base, test_data, evaluation)
    return Evaluated(*describe(evaluated, evaluation))
