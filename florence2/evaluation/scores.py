"""The table of all scores that metrics compute, in the order in which reports show them.

Each metric class declares its own scores; nothing is declared here. The scores of a metric that is not a part of this
library are in each ``ModelEvaluation`` that has them, and so in stored reports: a report is read with the right titles
and directions also where the metric is not installed. Making or loading such an evaluation declares them.
"""

from __future__ import annotations

from collections.abc import Iterable

from florence2.evaluation.metrics.registry import METRICS
from florence2.evaluation.metrics.score import Score

__all__ = ["SCORES", "Score", "declare_scores", "in_order", "score_named"]

_DECLARED = [score for metric in METRICS.values() for score in metric.declared_scores()]

SCORES: dict[str, Score] = {
    # The sort is stable: within headlines and others the order is that of the metrics.
    score.name: score
    for score in sorted(_DECLARED, key=lambda score: not score.headline)
}
"""Every score of the metrics of this library by its name, the headlines first."""


_OF_OTHERS: dict[str, Score] = {}
"""Scores of metrics of users and of other packages by their names."""


def declare_scores(scores: Iterable[Score]) -> None:
    """Add scores that no metric of this library computes to those that ``score_named`` finds."""
    _OF_OTHERS.update((score.name, score) for score in scores if score.name not in SCORES)


def score_named(name: str) -> Score:
    """Return the score of that name; an unknown one has its name as title, and larger is better."""
    return SCORES.get(name) or _OF_OTHERS.get(name) or Score(name, name)


def in_order(names: Iterable[str]) -> list[str]:
    """Return distinct names in the order of the table, others after them by name."""
    distinct = set(names)
    return [name for name in SCORES if name in distinct] + sorted(distinct - SCORES.keys())
