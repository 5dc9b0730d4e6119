"""The list of metrics. To add one: its class, a line in ``_LIST`` here, its test; then ``make reference``.

The class declares the rest: its scores, the kinds of answers that it reads, the tasks for which it is a default, and
whether ``florence2 score`` computes it. Options, reports, ``training.best_by``, the public names and docs follow.

Tasks of one split that share a metric are evaluated by it together, as one set of samples: the three caption tasks
have one CIDEr, ``<OD>`` and ``<DENSE_REGION_CAPTION>`` one mAP over the class names of both. For the scores of one task
evaluate its samples alone.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from florence2.codec import Task
from florence2.config import METRICS_WITHOUT_EQUIVALENT
from florence2.errors import ConfigurationError
from florence2.evaluation.metrics import answers, captions, cider, detection, grounding, json_fields, regions, text
from florence2.evaluation.metrics.loading import load_metric, load_plugin, plugin_names
from florence2.evaluation.metrics.metric import Metric

__all__ = ["METRICS", "SCORED_TASKS", "metric_named", "metrics_for"]

_Kinds = tuple[type[Metric[Any, Any]], ...]

_LIST: _Kinds = (
    detection.MeanAveragePrecisionMetric,
    answers.VQAAccuracyMetric,
    answers.ANLSMetric,
    answers.RelaxedAccuracyMetric,
    answers.ExactAnswerMetric,
    text.CharacterErrorRateMetric,
    grounding.GroundingAccuracyMetric,
    regions.MeanIoUMetric,
    regions.OCRRegionF1Metric,
    json_fields.JSONFieldsMetric,
    cider.CIDErMetric,
    captions.BLEUMetric,
    captions.RougeLMetric,
    captions.ChrFMetric,
    text.WordErrorRateMetric,
)

METRICS: dict[str, type[Metric[Any, Any]]] = {metric.name: metric for metric in _LIST}
"""Every metric of this library by its public name, in the order in which reports show the scores."""

SCORED_TASKS: dict[str, _Kinds] = {
    task: tuple(metric for metric in _LIST if metric.scored_task == task)
    for task in dict.fromkeys(metric.scored_task for metric in _LIST if metric.scored_task)
}
"""The metrics of each task of ``florence2 score`` with answers in words; the first one gives the value of a row."""


def metrics_for(task: Task, names: Sequence[str] = ()) -> tuple[type[Metric[Any, Any]], ...]:
    """Return the metrics that evaluate a task.

    Their ``update`` takes what ``florence2.evaluation.metrics.inputs`` makes of an answer of the task's kind.

    Args:
        task: the task.
        names: metrics to choose from; those that cannot read the task's kind of answer are left out. Empty: those
            that the task names itself, else its defaults, all of this library.

    Raises:
        ConfigurationError: a name is unknown, or a metric of a user or another package cannot be loaded.
    """
    names = names or task.metrics
    if names:
        return tuple(metric for metric in map(metric_named, dict.fromkeys(names)) if task.answer in metric.answer_kinds)
    of_task = tuple(metric for metric in _LIST if task.token in metric.default_for)
    return of_task or tuple(metric for metric in _LIST if task.answer in metric.default_for)


def metric_named(name: str) -> type[Metric[Any, Any]]:
    """Return a metric by its name: of this library, of an installed package, or a user's class by ``module:Class``.

    Raises:
        ConfigurationError: there is no metric of that name; the message names the nearest one, or all. Or the class of
            a user or of another package cannot be loaded or lacks something.
    """
    if ":" in name:
        return load_metric(name, METRICS)
    if name in METRICS:
        return METRICS[name]
    if name in plugin_names():
        return load_plugin(name, METRICS)
    if name in METRICS_WITHOUT_EQUIVALENT:
        raise ConfigurationError(f"unknown metric {name!r}: {METRICS_WITHOUT_EQUIVALENT[name]}")
    known = [*METRICS, *plugin_names()]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    raise ConfigurationError(f"unknown metric {name!r}; {hint}")
