"""``Gain``: a difference of two scores with the sign by which more is better, and the interval in which it may lie."""

from __future__ import annotations

from dataclasses import dataclass

from florence2.evaluation import Comparison, score_named

__all__ = ["Gain", "exceeds", "gain_in", "note_on_few_images"]

_DIGITS = 9
"""Decimals that count: two ways to compute the same score differ by rounding errors of 1e-16."""

_FEW_IMAGES = 30
"""With fewer images the intervals are too narrow, see ``florence2.evaluation.bootstrap``."""


@dataclass(frozen=True)
class Gain:
    """How much better one model is than another.

    Attributes:
        value: on the split; negative where it is worse.
        low: lower end of its interval.
        high: upper end.
    """

    value: float
    low: float
    high: float


def gain_in(score: str, compared: Comparison) -> Gain:
    """Return the gain of a comparison.

    Args:
        score: its name, by which it is known whether more or less of it is better.
        compared: the second model against the first.
    """
    sign = 1 if score_named(score).higher_is_better else -1
    low, high = sorted((sign * compared.interval.low, sign * compared.interval.high))
    return Gain(sign * compared.difference, low, high)


def exceeds(value: float, limit: float) -> bool:
    """Return whether a value is above a limit by more than a rounding error."""
    return round(value - limit, _DIGITS) > 0


def note_on_few_images(images: int) -> str:
    """Return a sentence, with a blank before it, about intervals of so few test images; empty where they suffice."""
    return f" With {images} test images the interval is narrower than it should be." if images < _FEW_IMAGES else ""
