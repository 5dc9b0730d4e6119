"""Step: base and fine-tuned model are evaluated on the test split."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.adapters import log_report
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation import EvaluationReport, public_name
from florence2.model import Checkpoint
from materializers.report import EvaluationReportMaterializer
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code
from steps.uncached_settings import with_uncached

__all__ = ["evaluate_model"]


@step(
    cache_policy=follow_code(__file__),
    output_materializers=EvaluationReportMaterializer,
    experiment_tracker=True,
)
def evaluate_model(
    test_data: DatasetManifest,
    checkpoint: Checkpoint,
    evaluation: EvaluationConfig,
    metric_code: str,  # noqa: ARG001
) -> Annotated[EvaluationReport, "evaluation_report"]:
    """Evaluate both models on the test split and compare their scores.

    Args:
        test_data: the split test.
        checkpoint: the fine-tuned model; it knows its base.
        evaluation: how answers are generated and evaluated.
        metric_code: of the user's own metrics; an edit changes the cache key.
    """
    # torch and transformers take seconds to import; a run in which this step is cached never needs them.
    from florence2.evaluation import evaluate_split
    from florence2.reports import compare_models

    evaluation = with_uncached("evaluation", evaluation)
    fetch_packed(test_data.source, checkpoint.base)
    before = evaluate_split(checkpoint.load_base(), checkpoint.base, test_data, evaluation)
    after = evaluate_split(checkpoint.load(), "fine-tuned", test_data, evaluation)
    facts = {
        "base": f"{public_name(checkpoint.base)} ({checkpoint.base_fingerprint[:12]})",
        "strategy": checkpoint.strategy,
        "best epoch": f"{checkpoint.epoch:g}",
        "test split": test_data.fingerprint[:12],
    }
    report = compare_models(before, after, facts, evaluation)
    log_report(report)
    return report
