"""Step: base and fine-tuned model are evaluated on the test split."""

from __future__ import annotations

from typing import Annotated

from zenml import step

from florence2.adapters import log_report, log_settings
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.evaluation import EvaluationReport, TrainingFacts, evaluate_baseline, public_name
from florence2.model import Checkpoint
from florence2.training import RateChoice, TrainingHistory
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
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    checkpoint: Checkpoint,
    learning_rates: RateChoice,
    evaluation: EvaluationConfig,
    metric_code: str,  # noqa: ARG001
) -> Annotated[EvaluationReport, "evaluation_report"]:
    """Evaluate both models on the test split and compare their scores.

    Args:
        training_data: the splits train and valid; the baseline is fitted on train.
        test_data: the split test.
        checkpoint: the fine-tuned model; it knows its base.
        learning_rates: those that were tried, for the report.
        evaluation: how answers are generated and evaluated.
        metric_code: of the user's own metrics; an edit changes the cache key.
    """
    # torch and transformers take seconds to import; a run in which this step is cached never needs them.
    from florence2.evaluation import evaluate_split
    from florence2.reports import compare_models

    evaluation = with_uncached("evaluation", evaluation)
    fetch_packed(test_data.source, checkpoint.base)
    before = evaluate_split(checkpoint.load_base(), checkpoint.base, test_data, evaluation)
    tuned = checkpoint.load()  # after the base: one model at a time is in memory
    after = evaluate_split(tuned, "fine-tuned", test_data, evaluation)
    train = training_data.select("train")
    baseline = evaluate_baseline(train, test_data, evaluation)
    facts = {
        "base": f"{public_name(checkpoint.base)} ({checkpoint.base_fingerprint[:12]})",
        "strategy": checkpoint.strategy,
        "best epoch": f"{checkpoint.epoch:g}",
        "test split": test_data.fingerprint[:12],
        **learning_rates.facts,
    }
    history = TrainingHistory.of(checkpoint.history, round(checkpoint.epoch))
    measured = TrainingFacts.of(train, history, checkpoint.base, tuned.input_wh)
    report = compare_models(before, after, facts, evaluation, baseline, measured)
    log_report(report)
    if learning_rates.trials:
        log_settings(learning_rate_search=learning_rates)
    return report
