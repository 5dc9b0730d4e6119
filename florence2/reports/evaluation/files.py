"""The evaluation of one model as files: ``metrics.json``, ``predictions.jsonl`` and the page ``report.html``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from florence2.codec import Detections
from florence2.config import EvaluationConfig
from florence2.evaluation import Answers, EvaluatedSample, ModelEvaluation
from florence2.reports.evaluation.comparison import select_examples
from florence2.reports.evaluation.render import render_evaluation
from florence2.storage import ReportFiles, write_atomic, writing

__all__ = ["metrics_summary", "save_evaluation"]


def metrics_summary(evaluation: ModelEvaluation) -> dict[str, Any]:
    """Return what ``metrics.json`` says: scores, their intervals, classes, counts and seconds.

    The counts are those of the metrics and, from the analysis, of answers that are not what they should be.
    """
    faults: dict[str, int] = {}
    if evaluation.analysis:
        validity = evaluation.analysis.validity
        faults = {
            "invalid_answers": validity.invalid,
            "cut_answers": validity.cut,
            "malformed_answers": validity.malformed,
            "empty_answers": validity.empty,
            "boxes_without_a_score": validity.unscored,
            "images_without_truth": validity.without_truth,
        }
    return {
        "model": evaluation.model,
        "scores": evaluation.metrics,
        "intervals": {name: asdict(interval) for name, interval in evaluation.intervals.items()},
        "per_class": evaluation.per_class,
        "counts": evaluation.counts | faults,
        "seconds": evaluation.seconds,
    }


def save_evaluation(
    answers: Answers,
    rows: Sequence[EvaluatedSample],
    evaluation: ModelEvaluation,
    facts: Mapping[str, str],
    config: EvaluationConfig,
    folder: Path,
) -> None:
    """Write the three files.

    Args:
        answers: of the model.
        rows: ``evaluated_samples`` of them.
        evaluation: ``describe`` of both.
        facts: what the scores rest on, for the page.
        config: how many rows of a sample the page shows.
        folder: where to; made if it is missing.

    Raises:
        ConfigurationError: the folder cannot be written to.
    """
    page = render_evaluation(evaluation, examples=select_examples(answers, rows, config), facts=facts)
    files = {
        ReportFiles.METRICS: json.dumps(metrics_summary(evaluation), indent=2, allow_nan=False) + "\n",
        ReportFiles.PREDICTIONS: "".join(json.dumps(line, allow_nan=False) + "\n" for line in _lines(rows)),
        ReportFiles.PAGE: page,
    }
    with writing(folder, "free space, or give another output"):
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            write_atomic(folder / name, text)


def _lines(rows: Sequence[EvaluatedSample]) -> Iterator[dict[str, Any]]:
    for row in rows:
        line: dict[str, Any] = {
            "image": row.image,
            "prefix": row.prefix,
            "prediction": row.text,
            "target": row.target,
            "score": row.score,
            "value": row.value,
            "truncated": row.truncated,
        }
        if row.boxes is not None:
            line |= {"malformed": row.malformed, "boxes": _boxes(row.boxes.prediction)}
        yield line


def _boxes(found: Detections) -> list[dict[str, Any]]:
    scores = [None] * len(found) if found.confidence is None else found.confidence.tolist()
    return [
        {"name": name, "xyxy": xyxy, "confidence": score}
        for name, xyxy, score in zip(found.class_name, found.xyxy.tolist(), scores, strict=True)
    ]
