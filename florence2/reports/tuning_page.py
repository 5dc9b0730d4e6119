"""The result of a search as a page and as a table: the sentence, all trials, and which settings mattered."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.table import Table

from florence2.reports.formats import format_score
from florence2.reports.templates import render_template
from florence2.tuning import EndedTrial, Outcome

__all__ = ["render_tuning", "trial_table"]

_WIDTH, _HEIGHT, _MARGIN = 1000, 260, 34


def trial_table(outcome: Outcome) -> Table:
    """Return all trials as a table to print, the best first; the winner is marked with a star."""
    table = Table()
    for title in ("trial", outcome.plan.score, "epochs", "seconds"):
        table.add_column(title, justify="right")
    table.add_column("state")
    table.add_column("settings other than the default")
    for trial in _ranked(outcome):
        table.add_row(
            f"{'* ' if trial is outcome.winner else ''}{trial.number}",
            format_score(outcome.best(trial)),
            str(len(trial.scores)),
            f"{trial.seconds:.0f}",
            trial.state,
            outcome.changes(trial),
        )
    return table


def _ranked(outcome: Outcome) -> list[EndedTrial]:
    """Return the trials, the best first: those that are complete, those that were pruned, those that failed."""
    states = ("complete", "pruned", "failed")

    def key(trial: EndedTrial) -> tuple[int, float, int]:
        best = outcome.best(trial)
        value = math.inf if best is None else -best if outcome.plan.higher_is_better else best
        return states.index(trial.state), value, trial.number

    return sorted(outcome.trials, key=key)


def render_tuning(outcome: Outcome) -> str:
    """Return a self-contained HTML page."""
    values = {
        "outcome": outcome,
        "trials": _ranked(outcome),
        "curves": _curves(outcome),
        "width": _WIDTH,
        "height": _HEIGHT,
        "margin": _MARGIN,
        "ends": _ends(outcome),
        "epochs": _epochs(outcome),
        "minutes": f"{sum(trial.seconds for trial in outcome.trials) / 60:.1f}",
    }
    return render_template("tuning.html", values)


def _epochs(outcome: Outcome) -> int:
    return max(len(trial.scores) for trial in outcome.trials)


def _ends(outcome: Outcome) -> tuple[float, float]:
    """Return the least and the greatest score of all epochs."""
    scores = [score for trial in outcome.trials for score in trial.scores]
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _curves(outcome: Outcome) -> list[tuple[EndedTrial, str]]:
    """Return the points of the line of each trial by epoch, in the coordinates of an SVG; the winner last, on top."""
    low, high = _ends(outcome)
    epochs = _epochs(outcome)

    def points(scores: Sequence[float]) -> str:
        step, rise = (_WIDTH - 2 * _MARGIN) / max(1, epochs - 1), (_HEIGHT - 2 * _MARGIN) / (high - low)
        ends = [
            (_MARGIN + index * step, _HEIGHT - _MARGIN - (score - low) * rise) for index, score in enumerate(scores)
        ]
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in ends)

    in_order = sorted(outcome.trials, key=lambda trial: (trial is outcome.winner, trial.number == 0))
    return [(trial, points(trial.scores)) for trial in in_order if trial.scores]
