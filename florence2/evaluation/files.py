"""What ``metrics.json`` and ``predictions.jsonl`` hold: the evaluation of one model for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from florence2.codec import Detections
from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.report import ModelEvaluation

__all__ = ["metrics_summary", "prediction_lines"]


def metrics_summary(evaluation: ModelEvaluation) -> dict[str, Any]:
    """Return the content of ``metrics.json``: scores, their intervals, the baseline, classes, counts and seconds.

    The differences are those of the model from the baseline; None where there is no baseline.

    The counts are those of the metrics and, from the analysis, those of faulty answers.
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
            "boxes_of_unseen_classes": validity.unseen,
            "images_without_truth": validity.without_truth,
        }
    baseline = evaluation.baseline and {
        "scores": evaluation.baseline.metrics,
        "differences": {name: asdict(compared) for name, compared in evaluation.baseline.comparison.items()},
    }
    return {
        "model": evaluation.model,
        "scores": evaluation.metrics,
        "intervals": {name: asdict(interval) for name, interval in evaluation.intervals.items()},
        "baseline": baseline,
        "per_class": evaluation.per_class,
        "counts": evaluation.counts | faults,
        "seconds": evaluation.seconds,
    }


def prediction_lines(samples: Sequence[EvaluatedSample]) -> Iterator[dict[str, Any]]:
    """Yield the lines of ``predictions.jsonl``: each sample with what was predicted.

    Args:
        samples: of a split, with the answers of the model.
    """
    for sample in samples:
        line: dict[str, Any] = {
            "image": sample.image,
            "prefix": sample.prefix,
            "prediction": sample.text,
            "target": sample.target,
            "score": sample.score,
            "value": sample.value,
            "truncated": sample.truncated,
        }
        if sample.boxes is not None:
            line |= {"malformed": sample.malformed, "boxes": _boxes(sample.boxes.prediction)}
        yield line


def _boxes(detections: Detections) -> list[dict[str, Any]]:
    scores = [None] * len(detections) if detections.confidence is None else detections.confidence.tolist()
    return [
        {"name": name, "xyxy": xyxy, "confidence": score}
        for name, xyxy, score in zip(detections.class_name, detections.xyxy.tolist(), scores, strict=True)
    ]
