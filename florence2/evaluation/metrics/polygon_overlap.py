"""Intersection over union of areas that are given by their outlines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["polygon_iou"]


def polygon_iou(first: Sequence[ArrayLike], second: Sequence[ArrayLike], rows: int = 1000) -> float:
    """Return the intersection over union of two areas, each the union of its outlines.

    The areas are cut into rows, at every corner and evenly, and each row is measured along its middle.
    Where no edges cross within a row that is exact, and nothing is rounded to pixels, which on a small image would
    cost a perfect answer. An outline that crosses itself encloses what lies an odd number of edges away from outside.

    Args:
        first: outlines (points, 2) as x, y, in any unit.
        second: outlines in the same unit.
        rows: even parts into which the height of both is cut; by default as many as there are location bins.

    Returns:
        A value in 0..1; 0 where both areas are empty.
    """
    if not first or not second:
        return 0.0
    edges = [_edges(outline) for outline in (*first, *second)]
    owner = np.repeat(np.arange(len(edges)), [len(part) for part in edges])
    (x1, y1), (x2, y2) = np.concatenate(edges).transpose(1, 2, 0)
    levels = np.unique(np.concatenate([y1, np.linspace(y1.min(), y1.max(), rows + 1)]))
    middle = ((levels[:-1] + levels[1:]) / 2)[:, None]
    crossed = (y1 <= middle) != (y2 <= middle)
    slope = np.divide(x2 - x1, y2 - y1, out=np.zeros_like(x1), where=y1 != y2)
    # Edges that a row does not cross go to its right end, where they enclose nothing.
    x = np.where(crossed, x1 + (middle - y1) * slope, x1.max())
    order = np.argsort(x, axis=1)
    owners = np.where(np.take_along_axis(crossed, order, axis=1), owner[order], -1)
    pieces = np.diff(levels)[:, None] * np.diff(np.take_along_axis(x, order, axis=1))
    in_first = _inside(owners, range(len(first)))[:, :-1]
    in_second = _inside(owners, range(len(first), len(edges)))[:, :-1]
    shared, union = float(pieces[in_first & in_second].sum()), float(pieces[in_first | in_second].sum())
    return min(shared / union, 1.0) if union else 0.0  # sums of different length may differ in the last digit


def _edges(outline: ArrayLike) -> NDArray[np.float64]:
    """Return the edges (points, 2, 2) of an outline: start and end, x and y."""
    points = np.asarray(outline, dtype=np.float64)
    return np.stack([points, np.roll(points, -1, axis=0)], axis=1)


def _inside(owners: NDArray[np.int64], outlines: range) -> NDArray[np.bool_]:
    """Tell for the place behind each crossing (rows, crossings) whether it lies in one of the outlines."""
    inside = np.zeros(owners.shape, dtype=np.bool_)
    for outline in outlines:
        inside |= np.cumsum(owners == outline, axis=1) % 2 == 1
    return inside
