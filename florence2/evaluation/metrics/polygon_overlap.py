"""Intersection over union of areas that are given by their outlines.

Computed here and not by shapely 2.2, whose time grows with the crossings: two outlines of 250 random points take it
49 s, and this module 0.1 s. A model at the start of a training generates such outlines. For outlines without crossings
both agree to 1e-14; 40 points take 0.5 ms with shapely and 0.9 ms here.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["polygon_iou"]

_ROWS = 1000
"""Crossings of edges up to which the result is exact; beyond, the height is cut into so many rows, as many as there are
location bins, and the error is about 1e-4."""

_EMPTY = 1e-12
"""Part of the rectangle around all outlines below which an area is empty: an outline along a line encloses nothing, but
for the rounding of its two sides."""


def polygon_iou(first: Sequence[ArrayLike], second: Sequence[ArrayLike]) -> float:
    """Return the intersection over union of two areas, each the union of its outlines.

    The areas are cut into rows at every corner and every crossing of edges. Within a row all edges are straight and
    none cross, so its height times the widths along its middle are the exact areas. Nothing is rounded to pixels, which
    on a small image would lower the score of a perfect answer. An outline that crosses itself encloses the points from
    which a ray crosses it an odd number of times.

    Args:
        first: outlines (points, 2) as x, y, in any unit.
        second: outlines in the same unit.

    Returns:
        A value in 0..1; 0 where both areas are empty.
    """
    if not first or not second:
        return 0.0
    edges = [_edges(outline) for outline in (*first, *second)]
    owner = np.repeat(np.arange(len(edges)), [len(part) for part in edges])
    joined = np.concatenate(edges)
    (x1, y1), (x2, y2) = joined.transpose(1, 2, 0)
    levels = np.unique(np.concatenate([y1, _crossing_heights(joined)]))
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
    if union <= _EMPTY * np.ptp(x1) * np.ptp(y1):
        return 0.0
    return min(shared / union, 1.0)  # sums of different length may differ in the last digit


def _edges(outline: ArrayLike) -> NDArray[np.float64]:
    """Return the edges (points, 2, 2) of an outline: start and end, x and y."""
    points = np.asarray(outline, dtype=np.float64)
    return np.stack([points, np.roll(points, -1, axis=0)], axis=1)


def _crossing_heights(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return y of each crossing of two edges (n, 2, 2); evenly spaced heights where there are more than ``_ROWS``."""
    start, step = edges[:, 0], edges[:, 1] - edges[:, 0]
    between = start[None] - start[:, None]
    turn = _cross(step[:, None], step[None])
    along = np.divide(_cross(between, step[None]), turn, out=np.full_like(turn, -1.0), where=turn != 0)
    crossing = (along > 0) & (along < 1)
    crossing &= crossing.T  # each edge crosses the other between its own ends
    first, second = np.triu(crossing).nonzero()
    if len(first) > _ROWS:
        return np.linspace(start[:, 1].min(), start[:, 1].max(), _ROWS + 1)
    heights: NDArray[np.float64] = start[first, 1] + along[first, second] * step[first, 1]
    return heights


def _cross(first: NDArray[np.float64], second: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross product of vectors (..., 2)."""
    product: NDArray[np.float64] = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    return product


def _inside(owners: NDArray[np.int64], outlines: range) -> NDArray[np.bool_]:
    """Return whether the piece behind each crossing (rows, crossings) lies in one of the outlines."""
    inside = np.zeros(owners.shape, dtype=np.bool_)
    for outline in outlines:
        inside |= np.cumsum(owners == outline, axis=1) % 2 == 1
    return inside
