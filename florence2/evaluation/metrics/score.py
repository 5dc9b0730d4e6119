"""One score that a metric computes: its title, its meaning, and which of two values is the better one."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Score"]


@dataclass(frozen=True)
class Score:
    """One score that a metric computes.

    Attributes:
        name: its key in ``Metric.compute()``.
        title: what a table calls it.
        meaning: what it says, in a few words.
        headline: whether it belongs to the few scores that a person sees first.
        higher_is_better: whether a larger value is the better one.
    """

    name: str
    title: str
    meaning: str = ""
    headline: bool = False
    higher_is_better: bool = True

    def improves(self, before: float, after: float) -> bool:
        """Return whether ``after`` is strictly better than ``before``."""
        return after > before if self.higher_is_better else after < before
