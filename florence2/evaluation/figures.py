"""The table of all figures that metrics compute, in the order in which reports show them.

Each metric class declares its own figures; nothing is declared here.
"""

from __future__ import annotations

from collections.abc import Iterable

from florence2.evaluation.metrics import METRICS
from florence2.evaluation.metrics.figure import Figure

__all__ = ["FIGURES", "Figure", "figure_named", "in_order"]

_DECLARED = [figure for metric in METRICS.values() for figure in metric.declared_figures()]

FIGURES: dict[str, Figure] = {
    # The sort is stable: within headlines and others the order is that of the metrics.
    figure.name: figure
    for figure in sorted(_DECLARED, key=lambda figure: not figure.headline)
}
"""Every figure of the metrics of this library by its name, the headlines first."""


def figure_named(name: str) -> Figure:
    """Return the figure of that name; one that is not in the table is shown under its name."""
    return FIGURES.get(name, Figure(name, name))


def in_order(names: Iterable[str]) -> list[str]:
    """Return distinct names in the order of the table, unknown ones after them by name."""
    distinct = set(names)
    return [name for name in FIGURES if name in distinct] + sorted(distinct - FIGURES.keys())
