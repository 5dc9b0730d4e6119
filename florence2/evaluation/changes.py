"""Scores before and after, of the whole split and of each class, with how sure a difference is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.metrics.score import Score
from florence2.evaluation.report import ModelEvaluation
from florence2.evaluation.scores import in_order, score_named

__all__ = [
    "ClassChange",
    "FieldChange",
    "ScoreChange",
    "list_class_changes",
    "list_field_changes",
    "list_score_changes",
    "weakest_classes",
]

_SHOWN = 0.0005
"""A smaller difference counts as none: three decimals do not show it."""

_FIELD_SCORE = "json_field_f1"
"""The score of a field; by its name, since what shows a report does not follow how it was measured."""


@dataclass(frozen=True)
class ScoreChange:
    """A score before and after fine-tuning.

    Attributes:
        score: which score.
        before: its value of the first model; None where there is only one model, or it has no such score.
        after: its value of the second model; None where it has no such score.
        before_interval: interval of the first value.
        after_interval: interval of the second value.
        comparison: of both models on the same images.
        baseline: the value of the best answers without seeing the image; None where it is not known.
        over_baseline: the second model compared with them on the same images.
    """

    score: Score
    before: float | None
    after: float | None
    before_interval: Interval | None = None
    after_interval: Interval | None = None
    comparison: Comparison | None = None
    baseline: float | None = None
    over_baseline: Comparison | None = None

    @property
    def beats_baseline(self) -> bool | None:
        """Return whether the second model is better than the baseline, beyond chance; None where it is not known."""
        if self.over_baseline is None:
            return None
        interval = self.over_baseline.interval
        return interval.low > 0 if self.score.higher_is_better else interval.high < 0

    @property
    def delta(self) -> float | None:
        """Return the difference; None where a value is missing."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def verdict(self) -> Literal["better", "worse", "same"]:
        """Return whether the score is better.

        A difference that may be chance counts as the same, and so does one that only makes a model as good as answers
        without seeing the image.
        """
        if self.before is None or self.after is None or abs(self.after - self.before) < _SHOWN:
            return "same"
        if self.comparison is not None and self.comparison.interval.low <= 0 <= self.comparison.interval.high:
            return "same"
        if not self.score.improves(self.before, self.after):
            return "worse"
        return "same" if self.beats_baseline is False else "better"


@dataclass(frozen=True)
class ClassChange:
    """Average precision of one class before and after.

    Attributes:
        name: of the class.
        truths: number of its true boxes; None where it is not known.
        ap50: average precision at IoU 0.5.
        ap: average precision over the IoUs 0.5 to 0.95.
    """

    name: str
    truths: int | None
    ap50: ScoreChange
    ap: ScoreChange


@dataclass(frozen=True)
class FieldChange:
    """F1 of one field of answers in JSON before and after.

    Attributes:
        path: names from the outside to the inside, joined by points.
        truths: number of its true values; None where it is not known.
        f1: of its values.
    """

    path: str
    truths: int | None
    f1: ScoreChange


def list_score_changes(
    before: ModelEvaluation | None, after: ModelEvaluation, comparison: Mapping[str, Comparison]
) -> list[ScoreChange]:
    """Return every score that one of the models has, the most important first.

    Args:
        before: evaluation of the first model; None where there is only one.
        after: evaluation of the second model.
        comparison: differences on the same images, by score.
    """
    old, baseline = before or ModelEvaluation(""), after.baseline or BaselineScores()
    return [
        ScoreChange(
            score_named(name),
            old.metrics.get(name),
            after.metrics.get(name),
            old.intervals.get(name),
            after.intervals.get(name),
            comparison.get(name),
            baseline.metrics.get(name),
            baseline.comparison.get(name),
        )
        for name in in_order([*old.metrics, *after.metrics])
    ]


def list_class_changes(before: ModelEvaluation | None, after: ModelEvaluation) -> list[ClassChange]:
    """Return the classes that have an average precision, the weakest after fine-tuning first.

    Args:
        before: evaluation of the first model; None where there is only one.
        after: evaluation of the second model.
    """
    old_classes = {} if before is None else before.per_class
    changes = []
    for name in sorted({*old_classes, *after.per_class}):
        old, new = old_classes.get(name, {}), after.per_class.get(name, {})
        truths = new.get("truths", old.get("truths"))
        ap50 = ScoreChange(score_named("map50"), old.get("ap50"), new.get("ap50"))
        ap = ScoreChange(score_named("map"), old.get("ap"), new.get("ap"))
        if {"ap", "ap50"} & {*old, *new}:
            changes.append(ClassChange(name, None if truths is None else int(truths), ap50, ap))
    return sorted(changes, key=lambda change: (change.ap50.after or 0.0, change.ap.after or 0.0))


def list_field_changes(before: ModelEvaluation | None, after: ModelEvaluation) -> list[FieldChange]:
    """Return the fields of answers in JSON, the weakest after fine-tuning first.

    Args:
        before: evaluation of the first model; None where there is only one.
        after: evaluation of the second model.
    """
    name = _FIELD_SCORE
    old = {} if before is None else before.per_class
    changes = []
    for path in sorted({*old, *after.per_class}):
        first, second = old.get(path, {}), after.per_class.get(path, {})
        truths = second.get("truths", first.get("truths"))
        if name in first or name in second:
            f1 = ScoreChange(score_named(name), first.get(name), second.get(name))
            changes.append(FieldChange(path, None if truths is None else int(truths), f1))
    return sorted(changes, key=lambda change: change.f1.after or 0.0)


def weakest_classes(evaluation: ModelEvaluation, count: int) -> tuple[str, list[tuple[str, float]]]:
    """Return the score by which classes are ordered, and the weakest classes with their values.

    Args:
        evaluation: of a model.
        count: greatest number of classes.

    Returns:
        The name of the first score that classes have, empty where they have none, and class and value, the weakest
        first.
    """
    score = next((name for scores in evaluation.per_class.values() for name in scores), "")
    values = {label: scores[score] for label, scores in evaluation.per_class.items() if score in scores}
    if not values:
        return score, []
    sign = 1 if score_named(score).higher_is_better else -1
    order = sorted(values.items(), key=lambda item: (sign * item[1], item[0]))
    return score, order[:count]
