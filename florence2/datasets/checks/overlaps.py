"""Boxes of one image and class that are the same, or nearly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from florence2.codec import box_iou

__all__ = ["find_same_boxes"]

Indices = NDArray[np.int64]

# Bounds the time that an answer of thousands of stacked boxes takes; real sets stay far below.
_MOST_PAIRS = 10_000_000


def find_same_boxes(row: Indices, name: Indices, bins: Indices, near_iou: float) -> tuple[Indices, Indices]:
    """Find for each box an earlier one of the same row and class that is equal to it, or overlaps it a lot.

    Args:
        row: (n,), ascending.
        name: numbers of the classes, (n,).
        bins: x_min, y_min, x_max, y_max, (n, 4), at most a billion on either side of 0.
        near_iou: intersection over union above which two boxes are nearly the same.

    Returns:
        The position of the first equal box, (n,), and of the first that is nearly the same, (n,); -1 where there is
        none before it. A box that repeats another one counts for that alone.
    """
    group = row * (int(name.max(initial=0)) + 1) + name
    shifted = bins + (1 << 30)
    low, high = ((shifted[:, side] << 31) | shifted[:, side + 1] for side in (0, 2))
    # Equal boxes become neighbours, the earliest first, and within a group left edges rise.
    order = np.lexsort((high, low, group))
    changes = [np.diff(key[order], prepend=-1) != 0 for key in (group, low, high)]
    heads = np.flatnonzero(np.logical_or.reduce(changes))
    same = np.full(len(row), -1)
    same[order] = np.repeat(order[heads], np.diff(np.append(heads, len(order))))
    same[same == np.arange(len(row))] = -1
    distinct = order[heads]
    return same, _nearly_same(distinct, group[distinct], bins[distinct], near_iou, len(row))


def _nearly_same(position: Indices, group: Indices, bins: Indices, near_iou: float, length: int) -> Indices:
    """Find the first near neighbour of distinct boxes that are sorted by group and left edge."""
    left = bins[:, 0]
    # Two boxes with a high IoU begin close together: the rest of a group need not be looked at.
    reach = left + (1 - near_iou) * np.maximum(bins[:, 2] - left, 0)
    going = np.arange(len(position))
    nearly = np.full(length, length)
    pairs = 0
    for step in range(1, len(position)):
        going = going[going < len(position) - step]
        # Left edges rise: a box that has no partner at this step has none at a later one.
        going = going[(group[going] == group[going + step]) & (left[going + step] <= reach[going])]
        pairs += len(going)
        if not len(going) or pairs > _MOST_PAIRS:
            break
        close = going[box_iou(bins[going], bins[going + step]) > near_iou]
        pair = np.stack([position[close], position[close + step]])
        np.minimum.at(nearly, pair.max(axis=0), pair.min(axis=0))
    return np.where(nearly < length, nearly, -1)
