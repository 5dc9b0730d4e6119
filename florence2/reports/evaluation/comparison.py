"""The report of two models, with its page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from florence2.config import EvaluationConfig
from florence2.evaluation import (
    EvaluationReport,
    SelectedExamples,
    SplitEvaluation,
    TrainingFacts,
    advise,
    compare_answers,
)
from florence2.reports.evaluation.images import thumbnails
from florence2.reports.evaluation.render import render_evaluation

__all__ = ["compare_models"]


def compare_models(
    before: SplitEvaluation,
    after: SplitEvaluation,
    facts: Mapping[str, str],
    config: EvaluationConfig,
    baseline: SplitEvaluation | None = None,
    training: TrainingFacts | None = None,
) -> EvaluationReport:
    """Compare the answers of two models on the same split, and render the page of the report.

    Args:
        before: of the base model.
        after: of the fine-tuned model, on the same samples.
        facts: what the scores rest on: fingerprints, strategy ...
        config: number of resamples, and how many samples the report shows.
        baseline: the answers without seeing the image on the same samples, ``evaluate_baseline``.
        training: what was measured in the training; after a poor one the report says what to try next.

    Raises:
        DatasetError: an image of the page cannot be read.
    """
    report = compare_answers(before, after, facts, config, baseline)
    advice = advise(report.after, training) if training is not None else ""
    examples = SelectedExamples(report.examples, report.worst, report.best)
    images = thumbnails(examples, after.samples)
    page = render_evaluation(report.after, report.before, report.comparison, examples, images, facts, advice)
    return replace(report, advice=advice, html=page)
