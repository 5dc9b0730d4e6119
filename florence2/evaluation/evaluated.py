"""The answers of a model row by row, and what a report says of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from florence2.codec import Detections
from florence2.config import EvaluationConfig
from florence2.evaluation.analysis.analyse import analyse
from florence2.evaluation.analysis.rows import BOX_SCORE, EvaluatedSample
from florence2.evaluation.bootstrap import Resamples, bootstrap_intervals, resample
from florence2.evaluation.evaluate import Answers
from florence2.evaluation.matching import MatchedImage, match_image
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric, rank_among_equals
from florence2.evaluation.report import ModelEvaluation

__all__ = ["describe", "evaluated_samples", "resamples_of"]


def evaluated_samples(answers: Answers) -> list[EvaluatedSample]:
    """Judge each row by itself: boxes by F1 at IoU 0.5, other answers by the first metric that has a value for each."""
    worth: dict[int, tuple[str, float | None]] = {}
    for each in answers.judged:
        for row, value in zip(each.rows, each.metric.values(), strict=False):
            worth.setdefault(row, (each.metric.declared_scores()[0].name, None if math.isnan(value) else value))
    return [_row(answers, row, *worth.get(row, ("", None))) for row in range(len(answers.samples))]


def resamples_of(answers: Answers, config: EvaluationConfig) -> Resamples:
    """Return the scores of a model on resamples of the images."""
    place = {image: number for number, image in enumerate(dict.fromkeys(answers.images))}
    images = np.array([place[image] for image in answers.images], dtype=np.int64)
    units = [images[list(each.rows)] for each in answers.judged]
    return resample([each.metric for each in answers.judged], units, config.resamples)


def describe(answers: Answers, rows: Sequence[EvaluatedSample], resamples: Resamples) -> ModelEvaluation:
    """Return the scores of a model with their intervals and with where it is right and where it fails.

    Args:
        answers: of the model.
        rows: ``evaluated_samples`` of them.
        resamples: ``resamples_of`` them.
    """
    return replace(
        answers.evaluation,
        intervals=bootstrap_intervals(resamples).scores,
        analysis=analyse(rows, _ranked(answers, rows)),
    )


def _row(answers: Answers, index: int, score: str, value: float | None) -> EvaluatedSample:
    sample, prediction = answers.samples[index], answers.predictions[index]
    answer, target = answers.pair(index)
    boxes = match_image(answer, target) if isinstance(answer, Detections) and isinstance(target, Detections) else None
    if boxes is not None:
        score, value = BOX_SCORE, boxes.f1
    return EvaluatedSample(
        image=answers.images[index],
        resolution_wh=sample.resolution_wh,
        prefix=sample.prefix,
        target=sample.suffix,
        text=prediction.text,
        score=score,
        value=value,
        boxes=boxes,
        truncated=prediction.truncated,
        malformed=prediction.malformed,
        unscored=answers.unscored[index],
    )


def _ranked(answers: Answers, rows: Sequence[EvaluatedSample]) -> list[MatchedImage]:
    """Return the images that mean average precision judges, in its order."""
    judged = [each.rows for each in answers.judged if isinstance(each.metric, MeanAveragePrecisionMetric)]
    images = [boxes for places in judged for index in places if (boxes := rows[index].boxes) is not None]
    return sorted(images, key=lambda image: rank_among_equals(image.prediction, image.target))
