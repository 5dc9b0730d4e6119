"""The table of all scores that metrics compute, in the order in which reports show them.

Each metric class declares its own scores; nothing is declared here.
"""

from __future__ import annotations

from collections.abc import Iterable

from florence2.evaluation.metrics.registry import METRICS
from florence2.evaluation.metrics.score import Score

__all__ = ["SCORES", "Score", "in_order", "score_named"]

_DECLARED = [score for metric in METRICS.values() for score in metric.declared_scores()]

SCORES: dict[str, Score] = {
    # The sort is stable: within headlines and others the order is that of the metrics.
    score.name: score
    for score in sorted(_DECLARED, key=lambda score: not score.headline)
}
"""Every score of the metrics of this library by its name, the headlines first."""


def score_named(name: str) -> Score:
    """Return the score of that name; one that is not in the table is shown under its name."""
    return SCORES.get(name, Score(name, name))


def in_order(names: Iterable[str]) -> list[str]:
    """Return distinct names in the order of the table, unknown ones after them by name."""
    distinct = set(names)
    return [name for name in SCORES if name in distinct] + sorted(distinct - SCORES.keys())
