"""The evaluation of one model as files: ``metrics.json``, ``predictions.jsonl`` and the page ``report.html``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from florence2.config import EvaluationConfig
from florence2.evaluation import (
    ModelEvaluation,
    SplitEvaluation,
    metrics_summary,
    prediction_lines,
    select_examples,
)
from florence2.reports.evaluation.images import thumbnails
from florence2.reports.evaluation.render import render_evaluation
from florence2.storage import ReportFiles, write_atomic, writing

__all__ = ["save_evaluation"]


def save_evaluation(
    evaluated: SplitEvaluation,
    evaluation: ModelEvaluation,
    facts: Mapping[str, str],
    config: EvaluationConfig,
    folder: Path,
) -> None:
    """Write the three files.

    Args:
        evaluated: the model on a split.
        evaluation: its scores, with intervals and analysis: ``describe`` of it.
        facts: what the scores rest on, for the page.
        config: how many samples the page shows.
        folder: to write to; created if it is missing.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    examples = select_examples(evaluated.samples, config.examples)
    page = render_evaluation(evaluation, examples=examples, images=thumbnails(examples, evaluated.samples), facts=facts)
    files = {
        ReportFiles.METRICS: json.dumps(metrics_summary(evaluation), indent=2, allow_nan=False) + "\n",
        ReportFiles.PREDICTIONS: "".join(
            json.dumps(line, allow_nan=False) + "\n" for line in prediction_lines(evaluated.samples)
        ),
        ReportFiles.PAGE: page,
    }
    with writing(folder, "free space, or give another output"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_atomic(folder / name, text)
