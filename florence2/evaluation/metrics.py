"""The registry of metrics: which there are, and which a task gets when none is asked for."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from florence2.codec.tasks import AnswerKind, Task
from florence2.errors import ConfigurationError
from florence2.evaluation.answers import ANLSMetric, ExactAnswerMetric, VQAAccuracyMetric
from florence2.evaluation.detection import MeanAveragePrecisionMetric
from florence2.evaluation.metric import Metric
from florence2.evaluation.text import CharacterErrorRateMetric, ChrFMetric, WordErrorRateMetric

__all__ = ["METRICS", "metric_named", "metrics_for"]

METRICS: dict[str, type[Metric[Any, Any]]] = {
    metric.name: metric
    for metric in (
        MeanAveragePrecisionMetric,
        VQAAccuracyMetric,
        ANLSMetric,
        ExactAnswerMetric,
        CharacterErrorRateMetric,
        WordErrorRateMetric,
        ChrFMetric,
    )
}
"""Every metric by its public name."""

_BY_KIND: dict[AnswerKind, tuple[type[Metric[Any, Any]], ...]] = {
    AnswerKind.BOXES: (MeanAveragePrecisionMetric,),
    AnswerKind.ANSWER: (VQAAccuracyMetric,),
    AnswerKind.TEXT: (CharacterErrorRateMetric, WordErrorRateMetric, ChrFMetric),
    AnswerKind.PROPOSALS: (ExactAnswerMetric,),
    AnswerKind.QUADS: (ExactAnswerMetric,),
    AnswerKind.POLYGONS: (ExactAnswerMetric,),
}
_BY_TOKEN: dict[str, tuple[type[Metric[Any, Any]], ...]] = {
    "<DocVQA>": (VQAAccuracyMetric, ANLSMetric),
}
"""Tasks whose metrics are not those of their kind of answer."""


def metrics_for(task: Task, names: Sequence[str] = ()) -> tuple[type[Metric[Any, Any]], ...]:
    """Return the metrics that judge a task.

    They take ``Detections`` where the task answers with boxes (``AnswerKind.BOXES``), else texts.

    Args:
        task: the task.
        names: metrics to choose from; those that cannot read the task's kind of answer are left out. Empty: the
            task's own.

    Raises:
        ConfigurationError: a name is unknown.
    """
    if not names:
        return _BY_TOKEN.get(task.token, _BY_KIND[task.answer])
    read_boxes = _BY_KIND[AnswerKind.BOXES]
    boxes = task.answer is AnswerKind.BOXES
    return tuple(metric for metric in map(metric_named, dict.fromkeys(names)) if (metric in read_boxes) == boxes)


def metric_named(name: str) -> type[Metric[Any, Any]]:
    """Return a metric by its public name.

    Raises:
        ConfigurationError: there is none of that name; the message names the nearest, or all.
    """
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(METRICS)}"
    raise ConfigurationError(f"unknown metric {name!r}; {hint}")
