"""What a challenger must be better than whoever is champion: its base, and answers without seeing the image."""

from __future__ import annotations

from typing import Any

from florence2.config import Effect, EvaluationConfig
from florence2.errors import DatasetError, ModelError
from florence2.model import check_exact
from florence2.promotion import Candidate
from pipelines.machines import on_cpu, on_gpu
from pipelines.prepared import Prepared
from steps.artifact_store import fetch_packed
from steps.evaluate_base import evaluate_base
from steps.evaluate_baseline import evaluate_baseline
from steps.uncached_settings import uncached_options

__all__ = ["measure_floor"]


def measure_floor(
    challenger: Candidate, data: Prepared, evaluation: EvaluationConfig, metric_code: str
) -> dict[str, Any]:
    """Connect the steps that evaluate base and baseline on the test split.

    Whether the base is still there is checked here, so that the result of a base that is missing is never cached.

    Args:
        challenger: the version, which names its base.
        data: the splits; the baseline is fitted on the training split.
        evaluation: how answers are generated and evaluated.
        metric_code: of the user's own metrics.

    Returns:
        Arguments of ``decide_promotion``.
    """
    measure = evaluation.without(Effect.EXECUTION)
    measured: dict[str, Any] = {
        "base_unknown": _why_base_is_unknown(challenger),
        "baseline_evaluated": evaluate_baseline.with_options(**on_cpu())(
            training_data=data.training_data, test_data=data.test_data, evaluation=measure, metric_code=metric_code
        ),
    }
    if not measured["base_unknown"]:
        measured["base_evaluated"] = evaluate_base.with_options(**on_gpu(), **uncached_options(evaluation=evaluation))(
            base=challenger.base,
            base_content=challenger.base_fingerprint,
            test_data=data.test_data,
            evaluation=measure,
            metric_code=metric_code,
        )
    return measured


def _why_base_is_unknown(challenger: Candidate) -> str:
    """Return why the exact base of a version cannot be evaluated; empty where it can."""
    if challenger.base is None or not challenger.base_fingerprint:
        return f"version {challenger.version} does not say which it was and what its fingerprint was; train again"
    try:
        fetch_packed(challenger.base.base)
        check_exact(challenger.base, challenger.base_fingerprint)
    except (DatasetError, ModelError) as exc:
        return str(exc)
    return ""
