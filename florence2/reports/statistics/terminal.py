"""Statistics and drift as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from florence2.datasets import FEATURES, DatasetStatistics, Distribution, DriftReport, compact
from florence2.printable import printable

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["drift_tables", "split_title", "statistics_tables"]

_LISTED = 20


def split_title(split: str) -> str:
    """Return the name of a split for readers."""
    return split or "no split"


def statistics_tables(statistics: DatasetStatistics) -> list[Table]:
    """Return what is in a data set as tables to print: counts, features, and the most frequent classes."""
    parts = {"all": statistics.overall} | {split_title(name): part for name, part in statistics.splits.items()}
    counts = _table(statistics.title, *parts)
    for title, row in {
        "rows": [part.rows for part in parts.values()],
        "unreadable rows": [part.unreadable_rows for part in parts.values()],
        "images": [part.images for part in parts.values()],
        "classes": [len(part.classes.counts) for part in parts.values()],
        **{
            f"rows of {task or 'no task'}": [part.tasks.counts.get(task, 0) for part in parts.values()]
            for task in statistics.overall.tasks.counts
        },
    }.items():
        counts.add_row(_plain(title), *map(str, row))
    measured = _table("median (least to most)", *parts)
    for name, feature in FEATURES.items():
        if statistics.overall.features[name].total:
            measured.add_row(feature.title.lower(), *(_spread(part.features[name]) for part in parts.values()))
    tables = [counts, measured]
    classes = list(statistics.overall.classes.counts)
    if classes:
        table = _table("boxes of class", *parts)
        for name in classes[:_LISTED]:
            table.add_row(_plain(name), *(str(part.classes.counts.get(name, 0)) for part in parts.values()))
        if len(classes) > _LISTED:
            table.add_row(f"... {len(classes) - _LISTED} more", *[""] * len(parts))
        tables.append(table)
    return tables


def drift_tables(drift: DriftReport) -> list[Table]:
    """Return a comparison as tables to print: the features with their verdicts, and the added and removed classes."""
    table = _table("against " + drift.reference.title, "distance", "p", "verdict")
    table.caption = drift.sentence
    for feature in drift.features:
        if feature.distance is None or feature.p_value is None:
            table.add_row(feature.title.lower(), "-", "-", "only in one")
        else:
            table.add_row(feature.title.lower(), f"{feature.distance:.3f}", f"{feature.p_value:.4f}", feature.verdict)
    tables = [table]
    if drift.added or drift.removed:
        classes = _table("classes")
        for title, names in (("added", drift.added), ("removed", drift.removed)):
            more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
            classes.add_row(_plain(f"{title}: {', '.join(names[:_LISTED]) or '-'}{more}"))
        tables.append(classes)
    return tables


def _table(first: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table()
    table.add_column(_plain(first), overflow="fold")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _plain(text: str) -> str:
    """Escape brackets and control characters of a user's text, which the terminal would obey."""
    from rich.markup import escape

    return escape(printable(text))


def _spread(distribution: Distribution) -> str:
    if distribution.minimum is None or distribution.median is None or distribution.maximum is None:
        return "-"
    return f"{compact(distribution.median)} ({compact(distribution.minimum)} to {compact(distribution.maximum)})"
