"""Which few constant boxes find most of the objects of one class: a greedy search on the boxes of the training split.

The same boxes are the answer for every image, so that average precision depends on one thing alone: in how many images
the first box is right, in how many the second finds an object that the first did not, and so on. Each step adds the
candidate that finds most of what is left, at overlaps from 0.5 to 0.9, with most weight on 0.5; the edges of the first
few boxes are then moved as long as that finds more. A box is added behind the others, in order of confidence; so it
never lowers average precision.

The overlap of two boxes does not change if an axis is scaled: coordinates are shares of the image's width and height.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from florence2.codec import box_iou
from florence2.evaluation.baselines.known_answer import chosen_indices

__all__ = ["FoundBox", "candidates", "search_boxes"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_OVERLAPS = {0.5: 1.2, 0.6: 0.2, 0.7: 0.2, 0.8: 0.2, 0.9: 0.2}
"""Weight of each overlap: as the sum of mAP50 and mAP."""

_LEAST_GAIN = 0.002
"""Share of the objects that a box must find."""

_MOVED = 3
"""Boxes whose edges are moved: the first ones are most of the average precision."""
_MOVES = (0.08, 0.04, 0.02, 0.01)

_CLUSTERS = (1, 2, 4, 8, 16)
_MEMBERS = 32
_ROUNDS = 8
_MOST_OBJECTS = 1_000
"""Objects of a class that are searched; of more a random selection."""


@dataclass(frozen=True)
class FoundBox:
    """One constant box.

    Attributes:
        xyxy: as shares of width and height.
        precision: share of the images in which it is right at IoU 0.5.
        gain: average precision at IoU 0.5 that it adds.
    """

    xyxy: tuple[float, float, float, float]
    precision: float
    gain: float


def search_boxes(objects: Floats, image: Ints, images: int, most: int = 10) -> list[FoundBox]:
    """Return the boxes that find most objects of a class, in the order of their confidence.

    Args:
        objects: boxes (n, 4) of the class in the training split, as shares of width and height.
        image: number (n,) of the image of each.
        images: number of all images of the task, also those without an object of the class.
        most: greatest number of boxes.
    """
    share = min(1.0, _MOST_OBJECTS / len(objects))
    kept = chosen_indices(len(objects), _MOST_OBJECTS)
    kept = kept[np.argsort(image[kept], kind="stable")]
    objects, image = objects[kept], image[kept]
    boxes = candidates(objects)
    overlaps = box_iou(boxes[:, None], objects[None])
    starts = np.flatnonzero(np.diff(image, prepend=-1))
    free = {least: np.ones(len(objects), dtype=np.bool_) for least in _OVERLAPS}
    found: list[FoundBox] = []
    hits = 0
    while len(found) < most:
        best = boxes[int(_worth(overlaps, free, starts).argmax())]
        box = _move_edges(best, objects, free, starts) if len(found) < _MOVED else best
        of_box = box_iou(box[None], objects)
        right = int(_hits(of_box[None], free[0.5], starts, 0.5)[0])
        if right < max(1.0, _LEAST_GAIN * len(objects)):
            break
        hits += right
        # Images of a selection of the objects are a share of all: too few hits would be divided by too many images.
        precision = hits / ((len(found) + 1) * images * share)
        rate = min(right / (images * share), found[-1].precision if found else 1.0)
        found.append(FoundBox(_corners(box), rate, right / len(objects) * min(precision, 1.0)))
        for least, left in free.items():
            left[_taken(of_box, left, starts, least)] = False
    return found


def _worth(overlaps: Floats, free: Mapping[float, NDArray[np.bool_]], starts: Ints) -> Floats:
    """Return for each candidate how much it finds, from its overlaps (m, n) with the objects.

    Args:
        overlaps: of m candidates with n objects.
        free: which objects (n,) no box has found yet, by the least overlap.
        starts: index of the first object of each image.
    """
    worth = np.zeros(len(overlaps))
    for least, left in free.items():
        worth += _OVERLAPS[least] * _hits(overlaps, left, starts, least)
    return worth


def _move_edges(box: Floats, objects: Floats, free: Mapping[float, NDArray[np.bool_]], starts: Ints) -> Floats:
    """Move one edge of a box after the other as long as that finds more, in smaller and smaller steps."""
    most = float(_worth(box_iou(box[None, None], objects[None]), free, starts)[0])
    for step in _MOVES:
        while True:
            moved = np.clip(box + step * np.concatenate([np.eye(4), -np.eye(4)]), 0.0, 1.0)
            moved = moved[(moved[:, :2] < moved[:, 2:]).all(axis=1)]
            worth = _worth(box_iou(moved[:, None], objects[None]), free, starts)
            if worth.max(initial=0.0) <= most:
                break
            box, most = moved[int(worth.argmax())], float(worth.max())
    return box


def _corners(box: Floats) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = box.tolist()
    return x_min, y_min, x_max, y_max


def _hits(overlaps: Floats, free: NDArray[np.bool_], starts: Ints, least: float) -> Ints:
    """Return for each candidate in how many images it overlaps an object that is free."""
    near = (overlaps >= least) & free
    hits: Ints = np.logical_or.reduceat(near, starts, axis=1).sum(axis=1)
    return hits


def _taken(overlaps: Floats, free: NDArray[np.bool_], starts: Ints, least: float) -> Ints:
    """Return the object that a box finds in each image: the free one that it overlaps most."""
    near = np.where(free & (overlaps >= least), overlaps, 0.0)
    sizes = np.diff(starts, append=len(near))
    best = np.repeat(np.maximum.reduceat(near, starts), sizes)
    nearest = np.flatnonzero((near == best) & (near > 0))
    segment = np.repeat(np.arange(len(starts)), sizes)[nearest]
    return nearest[np.unique(segment, return_index=True)[1]]


def candidates(objects: Floats) -> Floats:
    """Return boxes (m, 4) to choose from: medians of clusters of the objects (n, 4), and some of the objects.

    The clusters are those of k-medians with 1 to 16 clusters: the coordinates of a centre are medians, which are near
    more boxes than means are where a few boxes are elsewhere.
    """
    centres = [_cluster(objects, count) for count in _CLUSTERS if count <= len(objects)]
    members = objects[chosen_indices(len(objects), _MEMBERS)]
    return np.unique(np.concatenate([*centres, members]).round(6), axis=0)


def _cluster(objects: Floats, count: int) -> Floats:
    # By size, so that small and large objects get clusters of their own.
    area = (objects[:, 2] - objects[:, 0]) * (objects[:, 3] - objects[:, 1])
    order = np.argsort(area, kind="stable")
    centres = objects[order[np.linspace(0, len(objects) - 1, 2 * count + 1)[1::2].astype(np.int64)]]
    for _ in range(_ROUNDS):
        nearest = np.abs(objects[:, None] - centres[None]).sum(axis=2).argmin(axis=1)
        centres = np.array(
            [
                np.median(objects[nearest == index], axis=0) if (nearest == index).any() else centre
                for index, centre in enumerate(centres)
            ]
        )
    return centres
