"""The evaluation of a model on a split: generate the answers, compute the metrics of each task."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from florence2.codec import AnswerKind, Detections
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError
from florence2.evaluation.class_names import check_classes
from florence2.evaluation.evaluated_sample import BOX_SCORE, EvaluatedSample
from florence2.evaluation.matching import match_image
from florence2.evaluation.metrics.inputs import metric_inputs
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.metrics.registry import metrics_for
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.report import ModelEvaluation, public_name
from florence2.evaluation.scores import SCORES
from florence2.inference import Prediction, predict
from florence2.model import Florence2, Sample, check_prompts_fit, samples_of

__all__ = ["SplitEvaluation", "evaluate_predictions", "evaluate_split", "readable_rows"]

logger = logging.getLogger(__name__)

_Inputs = tuple[object, object]
"""Prediction and target as metrics take them."""
_Applied = tuple[tuple[Metric[Any, Any], tuple[int, ...]], ...]
"""Metrics with the indices of their samples."""


@dataclass(frozen=True)
class SplitEvaluation:
    """The evaluation of a model on a split, with all that it was computed from.

    Attributes:
        samples: the samples of the split with the answers of the model, in order.
        metrics: each metric after all its updates, with the indices of its samples in the order of the updates.
        evaluation: the scores over the whole split.
    """

    samples: tuple[EvaluatedSample, ...]
    metrics: _Applied
    evaluation: ModelEvaluation


def evaluate_split(
    florence2: Florence2, name: str, split: DatasetManifest, config: EvaluationConfig
) -> SplitEvaluation:
    """Generate the answer to each sample of a split, and compute the metrics of each task.

    Args:
        florence2: the model.
        name: of the model, for the report.
        split: the samples, of one or several tasks. Those whose image cannot be read are left out and counted.
        config: batch size, beams, metrics.

    Raises:
        ConfigurationError: a metric of the configuration is unknown or evaluates no task of the split, or a class in
            the configuration is misspelt.
        DatasetError: the split is empty, no image can be read, or a prompt is too long for the model.
        ModelError: the model is not a Florence-2: its tokenizer has no location tokens.
    """
    check_classes(split, config)
    readable = readable_rows(split)
    samples = samples_of(readable)
    check_prompts_fit(readable, florence2)
    started = time.monotonic()
    predictions = list(predict(florence2, samples, config))
    seconds = time.monotonic() - started
    return evaluate_predictions(name, split, samples, predictions, config, seconds)


def evaluate_predictions(
    name: str,
    split: DatasetManifest,
    samples: Sequence[Sample],
    predictions: Sequence[Prediction],
    config: EvaluationConfig,
    seconds: float = 0.0,
) -> SplitEvaluation:
    """Compute the metrics of each task from answers to the samples of a split, whoever gave them.

    Args:
        name: of the model, for the report.
        split: the split as it was given.
        samples: those of ``readable_rows`` of the split, in order.
        predictions: an answer for each sample.
        config: metrics.
        seconds: time to generate the answers.

    Raises:
        ConfigurationError: a metric of the configuration is unknown or evaluates no task of the split.
    """
    answers = [_without_unscored(prediction) for prediction in predictions]
    unscored = sum(count for _, count in answers)
    if unscored:
        logger.warning("%s: %d boxes without a finite score or coordinate are left out", name, unscored)
    inputs = [_inputs(sample, prediction) for sample, (prediction, _) in zip(samples, answers, strict=True)]
    metrics = _apply_metrics(samples, inputs, config.metrics)
    values = _values(metrics)
    images = map(str, split.table["image"][split.table["image_error"].isna()])
    return SplitEvaluation(
        samples=tuple(
            _evaluated_sample(image, sample, answer, pair, values.get(index, ("", None)))
            for index, (image, sample, answer, pair) in enumerate(zip(images, samples, answers, inputs, strict=True))
        ),
        metrics=metrics,
        evaluation=ModelEvaluation(
            model=public_name(name),
            metrics={score: value for metric, _ in metrics for score, value in metric.compute().items()},
            per_class={label: scores for metric, _ in metrics for label, scores in metric.per_class().items()},
            counts=_counts(samples, metrics) | _left_out(split, samples),
            seconds=seconds,
            declared=_declared_by_others(metrics),
        ),
    )


def readable_rows(split: DatasetManifest) -> DatasetManifest:
    """Return a split without the samples whose image cannot be read; a warning names the first of them.

    Raises:
        DatasetError: nothing is left.
    """
    if not len(split):
        raise DatasetError(f"{split.name}: the split to evaluate on is empty; give one with samples")
    broken = split.table["image_error"].notna()
    if not broken.any():
        return split
    first = split.table[broken].iloc[0]
    message = f"{split.name}: {int(broken.sum())} of {len(split)} rows have an image that cannot be read, the first of "
    message += f"{first['file']}:{first['line']}: {first['image']}: {first['image_error']}"
    if broken.all():
        raise DatasetError(f"{message}; replace the files by images that viewers can show")
    logger.warning("%s; they are left out", message)
    return split.drop(split.table.index[broken])


def _left_out(split: DatasetManifest, samples: Sequence[Sample]) -> dict[str, int]:
    rows = len(split) - len(samples)
    return {"rows_without_a_readable_image": rows} if rows else {}


def _without_unscored(prediction: Prediction) -> tuple[Prediction, int]:
    """Leave out boxes whose confidence or coordinates are not finite; returns how many there were."""
    boxes = prediction.detections
    if boxes is None or boxes.confidence is None:
        return prediction, 0
    finite = np.isfinite(boxes.xyxy).all(axis=1) & np.isfinite(boxes.confidence)
    if finite.all():
        return prediction, 0
    names = tuple(name for name, is_finite in zip(boxes.class_name, finite, strict=True) if is_finite)
    kept = Detections(boxes.xyxy[finite], names, boxes.confidence[finite])
    return replace(prediction, detections=kept), int((~finite).sum())


def _inputs(sample: Sample, prediction: Prediction) -> _Inputs:
    kind = sample.task.answer
    return metric_inputs(kind, prediction.text, prediction.detections, sample.suffix, sample.resolution_wh)


def _apply_metrics(samples: Sequence[Sample], inputs: Sequence[_Inputs], names: Sequence[str]) -> _Applied:
    """Update the metrics of each sample's task with it; each metric is made once for the split.

    Raises:
        ConfigurationError: none of the names is a metric that evaluates one of the tasks.
    """
    metrics: dict[str, Metric[Any, Any]] = {}
    indices: dict[str, list[int]] = {}
    for index, (sample, pair) in enumerate(zip(samples, inputs, strict=True)):
        for kind in metrics_for(sample.task, names):
            if kind.name not in metrics:
                metrics[kind.name] = kind()
            metrics[kind.name].update(*pair)
            indices.setdefault(kind.name, []).append(index)
    if not metrics:
        tasks = sorted({sample.task.token for sample in samples})
        raise ConfigurationError(f"evaluation.metrics: none of {', '.join(names)} evaluates {', '.join(tasks)}")
    return tuple((metric, tuple(indices[name])) for name, metric in metrics.items())


def _values(metrics: _Applied) -> dict[int, tuple[str, float | None]]:
    """Return the name of a score and the value of each sample, by its index, of the first metric that has values."""
    values: dict[int, tuple[str, float | None]] = {}
    for metric, indices in metrics:
        score = metric.declared_scores()[0].name
        for index, value in zip(indices, metric.values(), strict=False):
            values.setdefault(index, (score, None if math.isnan(value) else value))
    return values


def _evaluated_sample(
    image: str, sample: Sample, answer: tuple[Prediction, int], inputs: _Inputs, value: tuple[str, float | None]
) -> EvaluatedSample:
    """Return a sample with its value: of boxes F1 at IoU 0.5, of other answers that of ``_values``."""
    prediction, unscored = answer
    predicted, target = inputs
    if not (isinstance(predicted, Detections) and isinstance(target, Detections)):
        return EvaluatedSample(image, sample, prediction, *value, unscored=unscored)
    boxes = match_image(predicted, target)
    return EvaluatedSample(image, sample, prediction, BOX_SCORE, boxes.f1, boxes, unscored)


def _declared_by_others(metrics: _Applied) -> tuple[Score, ...]:
    """Return the declared scores of metrics that are not part of this library."""
    scores = {score.name: score for metric, _ in metrics for score in metric.declared_scores()}
    return tuple(score for name, score in scores.items() if name not in SCORES)


def _counts(samples: Sequence[Sample], metrics: _Applied) -> dict[str, int]:
    """Count images and annotations, and what the metrics count, for example boxes of unknown classes."""
    counted = {what: number for metric, _ in metrics for what, number in metric.counts().items()}
    answers = sum(sample.task.answer is not AnswerKind.BOXES for sample in samples)
    images = len({sample.image for sample in samples})
    return counted | {"answers": answers, "images": images, "annotations": len(samples)}
