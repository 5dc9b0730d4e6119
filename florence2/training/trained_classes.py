"""The classes that a training has seen, which its checkpoint records."""

from __future__ import annotations

from florence2.codec import CLASS_TASKS, scan_column
from florence2.datasets import DatasetManifest, boxes_of, tidy

__all__ = ["trained_classes"]


def trained_classes(train: DatasetManifest) -> tuple[str, ...] | None:
    """Return the class names in the answers of a training split, in their order.

    Args:
        train: the samples.

    Returns:
        None where no sample has a task with classes: such a training says nothing about the classes that a model knows.
    """
    rows = train.replace_rows(train.table[train.table["task"].isin(CLASS_TASKS)])
    if not len(rows):
        return None
    return tuple(sorted({tidy(name) for name in boxes_of(rows, scan_column(rows.table["suffix"])).names}))
