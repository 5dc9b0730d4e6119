"""Which detections find a true box, by the rules of COCO, for all images, IoU thresholds and area ranges together.

The rules are those of pycocotools (``COCOeval("bbox")`` with default parameters). In each image and class the 100
detections of the highest scores choose in turn, and each takes the free true box that it overlaps most. Crowds and
boxes outside an area range are taken only where no other is free; a detection that takes one is neither right nor
wrong. The matching depends on nothing outside the image, so a resample of images needs no second matching.
Source: Lin et al., Microsoft COCO (arXiv 1405.0312); https://cocodataset.org/#detection-eval.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["AREA_RANGES", "IOU_THRESHOLDS", "FoundBoxes", "Matches", "TrueBoxes", "match_boxes"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

IOU_THRESHOLDS: Floats = np.linspace(0.5, 0.95, 10)
"""0.50, 0.55, ... 0.95."""
AREA_RANGES: Floats = np.array([[0, 1e10], [0, 32**2], [32**2, 96**2], [96**2, 1e10]])
"""Square pixels, both ends included: all boxes, small, medium, large ones."""

_MOST_DETECTIONS = 100
"""Detections of an image and class that are read at most."""
_PAIRS_IN_MEMORY = 1 << 20
"""Pairs of boxes whose overlap is computed at a time: about 100 MB."""
_REGULAR = 1 << 40
"""Added to the rank of a true box that is not set aside, so that it comes before all that are."""


@dataclass(frozen=True)
class TrueBoxes:
    """The ground truth, a column for each property.

    Attributes:
        image: indices (n,) of the images.
        category: indices (n,) of the categories.
        xywh: boxes (n, 4) as x, y, width, height in pixels.
        area: areas (n,) by which the area ranges choose, in square pixels.
        crowd: whether (n,) the box stands for a crowd, which any number of detections may find.
        numbered: whether (n,) the annotation has another number than 0, which pycocotools reads as "no match".
    """

    image: Ints
    category: Ints
    xywh: Floats
    area: Floats
    crowd: Flags
    numbered: Flags


@dataclass(frozen=True)
class FoundBoxes:
    """The detections, a column for each property.

    Attributes:
        image: indices (n,) of the images.
        category: indices (n,) of the categories.
        xywh: boxes (n, 4) as x, y, width, height in pixels.
        score: scores (n,); of equal ones the earlier detection comes first.
    """

    image: Ints
    category: Ints
    xywh: Floats
    score: Floats

    def take(self, index: Ints | Flags) -> FoundBoxes:
        """Return some of the detections."""
        return FoundBoxes(self.image[index], self.category[index], self.xywh[index], self.score[index])


@dataclass(frozen=True)
class Matches:
    """Matched detections, by category and then by descending score, equal scores by image.

    A is the number of area ranges, T that of IoU thresholds.

    Attributes:
        images: number of images.
        categories: number of categories.
        found: n detections, at most 100 of each image and category.
        rank: of each detection (n,) in its image and category, from 0.
        in_range: whether (n, A) the detection's area is in the range.
        candidate: ascending indices (c,) of the detections that overlap a true box of their class enough.
        right: whether (c, A, T) the candidate finds a true box.
        aside: whether (c, A, T) the candidate takes a box that does not count, so that it is not wrong either.
        truth: g true boxes.
        counts: whether (g, A) a true box is to be found: it is in the range and no crowd.
    """

    images: int
    categories: int
    found: FoundBoxes
    rank: Ints
    in_range: Flags
    candidate: Ints
    right: Flags
    aside: Flags
    truth: TrueBoxes
    counts: Flags


def match_boxes(truth: TrueBoxes, found: FoundBoxes, images: int, categories: int) -> Matches:
    """Match detections with true boxes of their image and category.

    Args:
        truth: the true boxes; of equally overlapped ones the last is taken.
        found: the detections.
        images: number of images.
        categories: number of categories.
    """
    found, rank = _best_of_each_image(found, categories)
    counts = _in_ranges(truth.area) & ~truth.crowd[:, None]
    taken_by, box, overlap = _overlapping_pairs(truth, found, categories)
    candidate, pair_candidate = np.unique(taken_by, return_inverse=True)
    right, aside = _choose_in_turn(truth, counts, _group(found, categories)[candidate], (pair_candidate, box, overlap))
    # Stable sorts: equal scores stay in the order of images, and within an image in that of the answer.
    order = np.lexsort((-found.score, found.category))
    index_of = np.empty_like(order)
    index_of[order] = np.arange(len(order))
    sorted_candidates = np.argsort(index_of[candidate])
    found = found.take(order)
    return Matches(
        images=images,
        categories=categories,
        found=found,
        rank=rank[order],
        in_range=_in_ranges(found.xywh[:, 2] * found.xywh[:, 3]),
        candidate=index_of[candidate][sorted_candidates],
        right=right[sorted_candidates],
        aside=aside[sorted_candidates],
        truth=truth,
        counts=counts,
    )


def _best_of_each_image(found: FoundBoxes, categories: int) -> tuple[FoundBoxes, Ints]:
    """Return the detections that are read, by image, category and descending score, and their ranks there."""
    found = found.take(np.lexsort((-found.score, found.category, found.image)))
    rank = _count_within(_group(found, categories))
    read = rank < _MOST_DETECTIONS
    return found.take(read), rank[read]


def _group(boxes: TrueBoxes | FoundBoxes, categories: int) -> Ints:
    """Return a number for each image and category."""
    return boxes.image * categories + boxes.category


def _count_within(groups: Ints) -> Ints:
    """Return 0, 1, 2, ... anew in each run of equal numbers."""
    first = np.flatnonzero(np.diff(groups, prepend=-1))
    return np.arange(len(groups)) - np.repeat(first, np.diff(first, append=len(groups)))


def _in_ranges(area: Floats) -> Flags:
    """Return for each area (n,) in which of the ranges (n, A) it is."""
    return (area[:, None] >= AREA_RANGES[:, 0]) & (area[:, None] <= AREA_RANGES[:, 1])


def _overlapping_pairs(truth: TrueBoxes, found: FoundBoxes, categories: int) -> tuple[Ints, Ints, Floats]:
    """Return detection, true box and overlap of each pair of one image and category that overlaps enough."""
    pairs = [
        (detection[enough], box[enough], overlap[enough])
        for detection, box in _pairs_of_a_class(truth, found, categories)
        for overlap in [_overlaps(found.xywh[detection], truth.xywh[box], truth.crowd[box])]
        for enough in [overlap >= IOU_THRESHOLDS[0]]
    ]
    if not pairs:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), np.zeros(0)
    detections, boxes, overlaps = zip(*pairs, strict=True)
    return np.concatenate(detections), np.concatenate(boxes), np.concatenate(overlaps)


def _pairs_of_a_class(truth: TrueBoxes, found: FoundBoxes, categories: int) -> Iterator[tuple[Ints, Ints]]:
    """Yield detections and true boxes of the same image and category, some pairs at a time."""
    by_group = np.argsort(_group(truth, categories), kind="stable")
    truth_groups, found_groups = _group(truth, categories)[by_group], _group(found, categories)
    first = np.searchsorted(truth_groups, found_groups, side="left")
    number = np.searchsorted(truth_groups, found_groups, side="right") - first
    paired = np.flatnonzero(number)
    first, number = first[paired], number[paired]
    total = np.cumsum(number)
    edges = np.searchsorted(total, np.arange(0, total[-1] if len(total) else 0, _PAIRS_IN_MEMORY))
    for part in np.split(np.arange(len(paired)), edges[1:]):
        detection = np.repeat(paired[part], number[part])
        yield detection, by_group[np.repeat(first[part], number[part]) + _count_within(detection)]


def _overlaps(found: Floats, truth: Floats, crowd: Flags) -> Floats:
    """Return the overlap of each pair of boxes (n, 4): intersection over union, for a crowd over the detection.

    Not ``box_iou``: this is the arithmetic of pycocotools to the last bit, on widths and heights and with crowds.
    """
    ends = np.minimum(found[:, :2] + found[:, 2:], truth[:, :2] + truth[:, 2:])
    sides = ends - np.maximum(found[:, :2], truth[:, :2])
    common = np.where((sides > 0).all(axis=1), sides[:, 0] * sides[:, 1], 0.0)
    area = found[:, 2] * found[:, 3]
    whole = np.where(crowd, area, area + truth[:, 2] * truth[:, 3] - common)
    return np.divide(common, whole, out=np.zeros_like(common), where=common > 0)


def _choose_in_turn(
    truth: TrueBoxes, counts: Flags, group: Ints, pairs: tuple[Ints, Ints, Floats]
) -> tuple[Flags, Flags]:
    """Let the candidates of each group choose one after the other, those of different groups in parallel.

    Args:
        truth: g true boxes.
        counts: whether (g, A) a true box is to be found.
        group: image and category (c,) of each candidate, those of a group in the order in which they choose.
        pairs: candidate, true box and overlap of each pair.

    Returns:
        Whether (c, A, T) a candidate finds a box that counts, and whether it takes one that does not.
    """
    shape = (len(AREA_RANGES), len(IOU_THRESHOLDS))
    right, aside = np.zeros((2, len(group), *shape), dtype=np.bool_)
    taken = np.zeros((len(truth.area), *shape), dtype=np.bool_)
    candidate, box, overlap = pairs
    turn = _count_within(group)[candidate]
    # The rank of a box among those of its candidate is then its index: by overlap, the last of equal ones.
    order = np.lexsort((box, overlap, candidate, turn))
    candidate, box, overlap, turn = candidate[order], box[order], overlap[order], turn[order]
    edges = np.searchsorted(turn, np.arange(turn[-1] + 2 if len(turn) else 0))
    for start, end in itertools.pairwise(edges):
        of_turn = box[start:end]
        free = ~taken[of_turn] | truth.crowd[of_turn][:, None, None]
        possible = free & (overlap[start:end, None, None] >= IOU_THRESHOLDS)
        rank = np.arange(1, end - start + 1)[:, None] + _REGULAR * counts[of_turn]
        firsts = np.flatnonzero(np.diff(candidate[start:end], prepend=-1))
        best = np.maximum.reduceat(np.where(possible, rank[:, :, None], 0), firsts)
        who, area, threshold = np.nonzero(best)
        choice = best[who, area, threshold]
        chosen, who = of_turn[choice % _REGULAR - 1], candidate[start:end][firsts][who]
        taken[chosen, area, threshold] = True
        right[who, area, threshold] = (choice > _REGULAR) & truth.numbered[chosen]
        aside[who, area, threshold] = choice < _REGULAR
    return right, aside
