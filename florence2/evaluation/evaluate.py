"""Evaluate a model on a split, and two models against each other on the same split."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.codec.tasks import AnswerKind, Task, split_prefix
from florence2.config import EvaluationConfig
from florence2.data.images.files import open_rgb
from florence2.data.manifest import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError
from florence2.evaluation.html import render_html
from florence2.evaluation.metric import Metric
from florence2.evaluation.metrics import metrics_for
from florence2.evaluation.readings import judged_pair
from florence2.evaluation.report import EvaluationReport, Example, ModelEvaluation
from florence2.inference.generation import Prediction, predict
from florence2.model.base import Florence2
from florence2.model.processing import Sample, check_prompts_fit, samples_of

__all__ = ["Answers", "choose_examples", "compare", "evaluate_split"]


@dataclass(frozen=True)
class Answers:
    """What a model answered on a split, and how good that was.

    Attributes:
        samples: the rows of the split, in order.
        predictions: one for each sample.
        evaluation: the metrics over the whole split.
    """

    samples: tuple[Sample, ...]
    predictions: tuple[Prediction, ...]
    evaluation: ModelEvaluation


def evaluate_split(florence2: Florence2, name: str, split: DatasetManifest, config: EvaluationConfig) -> Answers:
    """Let a model answer every row of a split and judge the answers by the metrics of each task.

    Args:
        florence2: the model.
        name: what the report calls it.
        split: the rows, of one or several tasks.
        config: batch size, beams, metrics.

    Raises:
        ConfigurationError: a metric of the configuration is unknown or judges no task of the split.
        DatasetError: the split is empty, or a prompt too long for the model.
    """
    samples = samples_of(split)
    if not samples:
        raise DatasetError(f"{split.root}: the split to evaluate on is empty")
    check_prompts_fit(split, florence2)
    started = time.monotonic()
    predictions = list(predict(florence2, samples, config))
    seconds = time.monotonic() - started
    metrics = _judge(samples, predictions, config.metrics)
    evaluation = ModelEvaluation(
        model=name,
        metrics={figure: value for metric in metrics for figure, value in metric.compute().items()},
        per_class={label: figures for metric in metrics for label, figures in metric.per_class().items()},
        counts=_counts(samples, metrics),
        seconds=seconds,
    )
    return Answers(tuple(samples), tuple(predictions), evaluation)


def compare(before: Answers, after: Answers, facts: Mapping[str, str], config: EvaluationConfig) -> EvaluationReport:
    """Put two models' answers on the same split side by side.

    Args:
        before: of the base model.
        after: of the fine-tuned model, on the same samples.
        facts: what else the report should say: fingerprints, strategy.
        config: how many pictures the report shows.
    """
    chosen = choose_examples(before.samples, config.examples)
    examples = tuple(_example(before, after, index) for index in chosen)
    pictures = {_name(before.samples[i]): open_rgb(before.samples[i].image) for i in chosen}
    html = render_html(before.evaluation, after.evaluation, examples, pictures, facts)
    return EvaluationReport(before.evaluation, after.evaluation, examples, dict(facts), html)


def _judge(
    samples: Sequence[Sample], predictions: Sequence[Prediction], names: Sequence[str]
) -> list[Metric[Any, Any]]:
    """Feed each answer to the metrics of its task; each metric sees the whole split before it computes."""
    metrics: dict[str, Metric[Any, Any]] = {}
    for sample, prediction in zip(samples, predictions, strict=True):
        task, _ = split_prefix(sample.prefix)
        for kind in metrics_for(task, names):
            metrics.setdefault(kind.name, kind()).update(*_pair(task, sample, prediction))
    if not metrics:
        tasks = sorted({split_prefix(sample.prefix)[0].token for sample in samples})
        raise ConfigurationError(f"evaluation.metrics: none of {', '.join(names)} can judge {', '.join(tasks)}")
    return list(metrics.values())


def _counts(samples: Sequence[Sample], metrics: Sequence[Metric[Any, Any]]) -> dict[str, int]:
    """Count pictures and rows, and what the metrics counted, for example boxes of classes that do not exist."""
    judged = {what: number for metric in metrics for what, number in metric.counts().items()}
    answers = sum(split_prefix(sample.prefix)[0].answer is not AnswerKind.BOXES for sample in samples)
    pictures = len({sample.image for sample in samples})
    return judged | {"answers": answers, "images": pictures, "annotations": len(samples)}


def _pair(task: Task, sample: Sample, prediction: Prediction) -> tuple[object, object]:
    return judged_pair(task.answer, prediction.text, prediction.detections, sample.suffix, sample.resolution_wh)


def _example(before: Answers, after: Answers, index: int) -> Example:
    sample = before.samples[index]
    width, height = sample.resolution_wh
    return Example(
        image=_name(sample),
        width=width,
        height=height,
        prefix=sample.prefix,
        target=sample.suffix,
        before=before.predictions[index].text,
        after=after.predictions[index].text,
    )


def _name(sample: Sample) -> str:
    """Name a picture by its folder and file, so that no path of this machine is in a report."""
    return "/".join(Path(str(sample.image)).parts[-2:])


def choose_examples(samples: Sequence[Sample], count: int) -> list[int]:
    """Return positions of samples, evenly from each task, so that the pictures stand for the whole split."""
    by_task: dict[str, list[int]] = {}
    for index, sample in enumerate(samples):
        by_task.setdefault(split_prefix(sample.prefix)[0].token, []).append(index)
    shares = [count // len(by_task) + (place < count % len(by_task)) for place in range(len(by_task))]
    chosen: list[int] = []
    for share, indices in zip(shares, by_task.values(), strict=True):
        step = max(1.0, len(indices) / max(share, 1))
        chosen += [indices[int(place * step)] for place in range(min(share, len(indices)))]
    return chosen
