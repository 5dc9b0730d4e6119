"""The registry of metrics: which there are, which judge an answer of which kind, and which a task gets unasked.

Tasks of one split that have a metric in common are judged by it together, as one set of samples: the three caption
tasks have one CIDEr, ``<OD>`` and ``<DENSE_REGION_CAPTION>`` one mAP over the names of both. To have the scores of
each task apart, evaluate its rows alone.

A metric of your own is a class below ``Metric`` that says what it ``judges``, at the top of a module:
``Configuration(metrics=[MyMetric])`` names it ``module:MyMetric``, and by that name it is found wherever it is needed.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from florence2.codec import AnswerKind, Task
from florence2.config import METRICS_WITHOUT_EQUIVALENT
from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.answers import (
    ANLSMetric,
    ExactAnswerMetric,
    RelaxedAccuracyMetric,
    VQAAccuracyMetric,
)
from florence2.evaluation.metrics.captions import BLEUMetric, ChrFMetric, RougeLMetric
from florence2.evaluation.metrics.cider import CIDErMetric
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from florence2.evaluation.metrics.grounding import GroundingAccuracyMetric
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.metrics.own import own_metric
from florence2.evaluation.metrics.regions import MeanIoUMetric, OCRRegionF1Metric
from florence2.evaluation.metrics.text import CharacterErrorRateMetric, WordErrorRateMetric

__all__ = ["METRICS", "metric_named", "metrics_for"]

_Kinds = tuple[type[Metric[Any, Any]], ...]

_ALL: _Kinds = (
    MeanAveragePrecisionMetric,
    VQAAccuracyMetric,
    ANLSMetric,
    RelaxedAccuracyMetric,
    ExactAnswerMetric,
    CharacterErrorRateMetric,
    GroundingAccuracyMetric,
    MeanIoUMetric,
    OCRRegionF1Metric,
    CIDErMetric,
    BLEUMetric,
    RougeLMetric,
    ChrFMetric,
    WordErrorRateMetric,
)

METRICS: dict[str, type[Metric[Any, Any]]] = {metric.name: metric for metric in _ALL}
"""Every metric by its public name, in the order in which reports show what they compute."""

_BY_KIND: dict[AnswerKind, _Kinds] = {
    AnswerKind.BOXES: (MeanAveragePrecisionMetric,),
    AnswerKind.PROPOSALS: (MeanAveragePrecisionMetric,),
    AnswerKind.QUADS: (OCRRegionF1Metric,),
    AnswerKind.POLYGONS: (MeanIoUMetric,),
    AnswerKind.ANSWER: (VQAAccuracyMetric,),
    AnswerKind.TEXT: (CIDErMetric, BLEUMetric, RougeLMetric, ChrFMetric),
}
_READING = (CharacterErrorRateMetric, WordErrorRateMetric)
_BY_TOKEN: dict[str, _Kinds] = {
    "<DocVQA>": (VQAAccuracyMetric, ANLSMetric),
    "<CAPTION_TO_PHRASE_GROUNDING>": (GroundingAccuracyMetric,),
    "<OCR>": _READING,
    "<REGION_TO_OCR>": _READING,
}
"""Tasks whose metrics are not those of their kind of answer."""


def metrics_for(task: Task, names: Sequence[str] = ()) -> tuple[type[Metric[Any, Any]], ...]:
    """Return the metrics that judge a task.

    They take what ``florence2.evaluation.metrics.readings`` makes of an answer of the task's kind.

    Args:
        task: the task.
        names: metrics to choose from; those that cannot read the task's kind of answer are left out. Empty: the
            task's own.

    Raises:
        ConfigurationError: a name is unknown.
    """
    if not names:
        return _BY_TOKEN.get(task.token, _BY_KIND[task.answer])
    return tuple(metric for metric in map(metric_named, dict.fromkeys(names)) if task.answer in metric.judges)


def metric_named(name: str) -> type[Metric[Any, Any]]:
    """Return a metric by its public name, or one of the user's own by ``module:Class``.

    Raises:
        ConfigurationError: there is none of that name; the message names the nearest, or all. Or the user's own cannot
            be imported, or lacks something.
    """
    if ":" in name:
        return own_metric(name, METRICS)
    if name in METRICS:
        return METRICS[name]
    if name in METRICS_WITHOUT_EQUIVALENT:
        raise ConfigurationError(f"unknown metric {name!r}: {METRICS_WITHOUT_EQUIVALENT[name]}")
    near = difflib.get_close_matches(name, METRICS, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(METRICS)}"
    raise ConfigurationError(f"unknown metric {name!r}; {hint}")
