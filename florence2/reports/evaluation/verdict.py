"""The first sentence of a report: what the model is worth, compared with answers without seeing the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from florence2.evaluation import ModelEvaluation, ScoreChange, worth_of
from florence2.reports.formats import format_interval, format_score, format_signed

__all__ = ["Verdict", "verdict_on"]


@dataclass(frozen=True)
class Verdict:
    """The first sentence of a report.

    Attributes:
        text: the sentence; two where a model is worth something in some scores only.
        tone: the colour: ``good`` for a success, ``bad`` for a failure, ``soft`` where it is not known.
    """

    text: str
    tone: Literal["good", "bad", "soft"]


def verdict_on(evaluation: ModelEvaluation) -> Verdict | None:
    """Say whether a model is better than answers without seeing the image, beyond chance.

    Args:
        evaluation: of the model.

    Returns:
        The verdict, a failure where the model is not better in a deciding score; None where there is no baseline.
    """
    worth = worth_of(evaluation)
    if worth is None or not (worth.better or worth.not_better or worth.unknown):
        return None
    better = f"better than answers without seeing the image: {_scores(worth.better)}."
    if worth.is_nothing:
        return Verdict(f"This model is worth nothing: {_as_well(worth.not_better)}.", "bad")
    if worth.not_better:
        titles = " and ".join(change.score.title for change in worth.not_better)
        failure = f"In {titles} this model is worth nothing: {_as_well(worth.not_better)}."
        return Verdict(f"{failure} It is {better}", "bad")
    if worth.better:
        return Verdict(f"This model is {better}", "good")
    values = "; ".join(f"{_values(change)}" for change in worth.unknown)
    return Verdict(
        f"It is not known whether this model is better than answers without seeing the image: {values}, without "
        "intervals (they need at least two images, and evaluation.resamples above 0).",
        "soft",
    )


def _as_well(changes: Sequence[ScoreChange]) -> str:
    worse = all(_is_worse(change) for change in changes)
    return f"answers without seeing the image score {'better' if worse else 'as well'} ({_scores(changes)})"


def _is_worse(change: ScoreChange) -> bool:
    if change.over_baseline is None:
        return False
    interval = change.over_baseline.interval
    return interval.high < 0 if change.score.higher_is_better else interval.low > 0


def _scores(changes: Sequence[ScoreChange]) -> str:
    return "; ".join(_values(change) + _difference(change) for change in changes)


def _values(change: ScoreChange) -> str:
    return f"{change.score.title} {format_score(change.after)} against {format_score(change.baseline)}"


def _difference(change: ScoreChange) -> str:
    compared = change.over_baseline
    if compared is None:
        return ""
    interval = f"{compared.interval.level:.0%} interval {format_interval(compared.interval)}"
    return f", difference {format_signed(compared.difference)}, {interval}"
