"""Let a model answer a split and judge the answers by the metrics of each task."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from florence2.codec import AnswerKind, Detections, Task, split_prefix
from florence2.config import EvaluationConfig
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError
from florence2.evaluation.class_names import check_classes
from florence2.evaluation.metrics.inputs import metric_inputs
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.metrics.registry import metrics_for
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.report import ModelEvaluation, public_name
from florence2.evaluation.scores import SCORES
from florence2.inference import Prediction, predict
from florence2.model import Florence2, Sample, check_prompts_fit, samples_of

__all__ = ["Answers", "AppliedMetric", "evaluate_split"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AppliedMetric:
    """A metric with what it was given.

    Attributes:
        metric: holding every row of its tasks.
        rows: positions of these rows in the split, in the order in which the metric got them.
    """

    metric: Metric[Any, Any]
    rows: tuple[int, ...]


@dataclass(frozen=True)
class Answers:
    """What a model answered on a split, and how good that was.

    Attributes:
        samples: the rows of the split, in order.
        images: path of each row's image in the data set.
        predictions: one for each sample; boxes without a finite score are left out of them.
        unscored: how many boxes were left out of each.
        judged: the metrics with their rows.
        evaluation: the scores over the whole split.
    """

    samples: tuple[Sample, ...]
    images: tuple[str, ...]
    predictions: tuple[Prediction, ...]
    unscored: tuple[int, ...]
    judged: tuple[AppliedMetric, ...]
    evaluation: ModelEvaluation

    def pair(self, row: int) -> tuple[object, object]:
        """Return answer and target of a row as the metrics of its task take them."""
        sample = self.samples[row]
        return _pair(split_prefix(sample.prefix)[0], sample, self.predictions[row])


def evaluate_split(florence2: Florence2, name: str, split: DatasetManifest, config: EvaluationConfig) -> Answers:
    """Let a model answer every row of a split and judge the answers by the metrics of each task.

    Args:
        florence2: the model.
        name: what the report calls it.
        split: the rows, of one or several tasks. Those whose image could not be read are left out and counted.
        config: batch size, beams, metrics.

    Raises:
        ConfigurationError: a metric of the configuration is unknown or judges no task of the split, or a class in it is
            misspelt.
        DatasetError: the split is empty, no image of it can be read, or a prompt is too long for the model.
        ModelError: the model is not a Florence-2: its tokenizer knows no locations.
    """
    check_classes(split, config)
    readable = _readable(split)
    samples = samples_of(readable)
    check_prompts_fit(readable, florence2)
    started = time.monotonic()
    answers = [_finite(prediction) for prediction in predict(florence2, samples, config)]
    seconds = time.monotonic() - started
    predictions, unscored = [answer for answer, _ in answers], [dropped for _, dropped in answers]
    if any(unscored):
        logger.warning("%s: %d boxes without a finite score or place are left out", name, sum(unscored))
    judged = _judge(samples, predictions, config.metrics)
    evaluation = ModelEvaluation(
        model=public_name(name),
        metrics={score: value for each in judged for score, value in each.metric.compute().items()},
        per_class={label: scores for each in judged for label, scores in each.metric.per_class().items()},
        counts=_counts(samples, judged) | _left_out(split, readable),
        seconds=seconds,
        declared=_declared_by_others(judged),
    )
    images = tuple(map(str, readable.table["image"]))
    return Answers(tuple(samples), images, tuple(predictions), tuple(unscored), tuple(judged), evaluation)


def _readable(split: DatasetManifest) -> DatasetManifest:
    """Leave out the rows whose image cannot be read.

    Raises:
        DatasetError: nothing is left.
    """
    if not len(split):
        raise DatasetError(f"{split.name}: the split to evaluate on is empty; give one with rows")
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


def _left_out(split: DatasetManifest, readable: DatasetManifest) -> dict[str, int]:
    rows = len(split) - len(readable)
    return {"rows_without_a_readable_image": rows} if rows else {}


def _finite(prediction: Prediction) -> tuple[Prediction, int]:
    """Leave out boxes whose confidence or place is not a finite number; returns how many there were."""
    boxes = prediction.detections
    if boxes is None or boxes.confidence is None:
        return prediction, 0
    good = np.isfinite(boxes.xyxy).all(axis=1) & np.isfinite(boxes.confidence)
    if good.all():
        return prediction, 0
    names = tuple(name for name, is_good in zip(boxes.class_name, good, strict=True) if is_good)
    kept = Detections(boxes.xyxy[good], names, boxes.confidence[good])
    return replace(prediction, detections=kept), int((~good).sum())


def _judge(samples: Sequence[Sample], predictions: Sequence[Prediction], names: Sequence[str]) -> list[AppliedMetric]:
    """Feed each answer to the metrics of its task; each metric sees the whole split before it computes."""
    metrics: dict[str, Metric[Any, Any]] = {}
    rows: dict[str, list[int]] = {}
    for index, (sample, prediction) in enumerate(zip(samples, predictions, strict=True)):
        task, _ = split_prefix(sample.prefix)
        for kind in metrics_for(task, names):
            if kind.name not in metrics:
                metrics[kind.name] = kind()
            metrics[kind.name].update(*_pair(task, sample, prediction))
            rows.setdefault(kind.name, []).append(index)
    if not metrics:
        tasks = sorted({split_prefix(sample.prefix)[0].token for sample in samples})
        raise ConfigurationError(f"evaluation.metrics: none of {', '.join(names)} can judge {', '.join(tasks)}")
    return [AppliedMetric(metric, tuple(rows[name])) for name, metric in metrics.items()]


def _declared_by_others(evaluated: Iterable[AppliedMetric]) -> tuple[Score, ...]:
    """Return the declared scores of metrics that are no part of this library."""
    scores = {score.name: score for each in evaluated for score in each.metric.declared_scores()}
    return tuple(score for name, score in scores.items() if name not in SCORES)


def _counts(samples: Sequence[Sample], judged: Iterable[AppliedMetric]) -> dict[str, int]:
    """Count images and rows, and what the metrics counted, for example boxes of classes that do not exist."""
    counted = {what: number for each in judged for what, number in each.metric.counts().items()}
    answers = sum(split_prefix(sample.prefix)[0].answer is not AnswerKind.BOXES for sample in samples)
    images = len({sample.image for sample in samples})
    return counted | {"answers": answers, "images": images, "annotations": len(samples)}


def _pair(task: Task, sample: Sample, prediction: Prediction) -> tuple[object, object]:
    return metric_inputs(task.answer, prediction.text, prediction.detections, sample.suffix, sample.resolution_wh)
