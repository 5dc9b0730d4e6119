"""Scores before and after, with how sure they are: the rows of the page's tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from florence2.evaluation import Comparison, Interval, ModelEvaluation, Score, in_order, score_named

__all__ = ["Change", "ClassChange", "list_class_changes", "list_score_changes"]

_SHOWN = 0.0005
"""A change that three digits do not show is none."""


@dataclass(frozen=True)
class Change:
    """A score before and after; ``before`` is None where there is only one model, or it has no such score."""

    score: Score
    before: float | None
    after: float | None
    before_interval: Interval | None = None
    after_interval: Interval | None = None
    comparison: Comparison | None = None

    @property
    def delta(self) -> float | None:
        """Return the difference."""
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def verdict(self) -> str:
        """Return "better", "worse" or "same"; the same is also what chance alone may have made."""
        if self.before is None or self.after is None or abs(self.after - self.before) < _SHOWN:
            return "same"
        if self.comparison is not None and self.comparison.interval.low <= 0 <= self.comparison.interval.high:
            return "same"
        return "better" if self.score.improves(self.before, self.after) else "worse"


@dataclass(frozen=True)
class ClassChange:
    """Average precision of one class before and after."""

    name: str
    truths: int | None
    ap50: Change
    ap: Change


def list_score_changes(
    before: ModelEvaluation | None, after: ModelEvaluation, comparison: Mapping[str, Comparison]
) -> list[Change]:
    """Return every score that one of the models has, the most telling first."""
    old = before or ModelEvaluation("")
    return [
        Change(
            score_named(name),
            old.metrics.get(name),
            after.metrics.get(name),
            old.intervals.get(name),
            after.intervals.get(name),
            comparison.get(name),
        )
        for name in in_order([*old.metrics, *after.metrics])
    ]


def list_class_changes(before: ModelEvaluation | None, after: ModelEvaluation) -> list[ClassChange]:
    """Return the classes that have an average precision, the weakest after fine-tuning first."""
    old_classes = {} if before is None else before.per_class
    rows = []
    for name in sorted({*old_classes, *after.per_class}):
        old, new = old_classes.get(name, {}), after.per_class.get(name, {})
        truths = new.get("truths", old.get("truths"))
        ap50 = Change(score_named("map50"), old.get("ap50"), new.get("ap50"))
        ap = Change(score_named("map"), old.get("ap"), new.get("ap"))
        if {"ap", "ap50"} & {*old, *new}:
            rows.append(ClassChange(name, None if truths is None else int(truths), ap50, ap))
    return sorted(rows, key=lambda row: (row.ap50.after or 0.0, row.ap.after or 0.0))
