"""Average precision and recall of data sets in which an image occurs several times or not at all.

The scores are exactly those of pycocotools on a data set with as many copies of each image as its weight says, each
an image of its own that follows the original. Detections are matched once. A resample needs only sums of weights along
the detections of a category by descending score, and only where a true box is found: at every other position the
precision falls, so that neither recall points nor the envelope of the precisions depend on it.

Where every detection has the same score the work is about five times larger: see ``_reading``.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from florence2.evaluation.metrics.coco_matching import AREA_RANGES, IOU_THRESHOLDS, FoundBoxes, Matches

__all__ = ["VIEWS", "average_precisions", "recalls"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

VIEWS: tuple[tuple[int, int], ...] = ((0, 1), (0, 10), (0, 100), (1, 100), (2, 100), (3, 100))
"""The recalls: the index of an area range, and the greatest number of detections of an image and class."""

_RECALL_POINTS: Floats = np.linspace(0, 1, 101)
_CHUNK = 64
"""Resamples whose weights are summed at a time."""
_NUMBERS_IN_CACHE = 1 << 15
"""Precisions computed at a time: a few arrays of this size fit into the cache of a core."""


@dataclass(frozen=True)
class _Reading:
    """Detections in the order in which their precision is read.

    Attributes:
        found: indices (n,) in ``Matches.found``.
        row: indices (n,) of their weights: those of the images, then of their first copies, second copies, ...
        candidate: indices (n,) in ``Matches.candidate``, -1 for those that are none.
    """

    found: Ints
    row: Ints
    candidate: Ints


@dataclass(frozen=True)
class _Stops:
    """The m positions of a curve at which a true box is found at one IoU threshold.

    Attributes:
        index: indices (m,) among the positions of the curve.
        row: indices (m,) of their weights.
        change: matrix (m, rows) of weights to be added to ``_Curve.passed``, from stop to stop; None where it is 0.
    """

    index: Ints
    row: Ints
    change: Any


@dataclass(frozen=True)
class _Curve:
    """The u positions of a category and area range at which a true box is found at one IoU threshold at least.

    Attributes:
        passed: matrix (u, rows) that sums the weights of detections in the range between positions, ends included.
        stops: the positions of each threshold.
    """

    passed: Any
    stops: tuple[_Stops, ...]


def average_precisions(matches: Matches, weights: Ints, areas: tuple[int, ...]) -> Floats:
    """Return the mean precision over the 101 recall points.

    Args:
        matches: the matched boxes.
        weights: how often (r, images) each image occurs in each of r resamples.
        areas: indices of the area ranges.

    Returns:
        Values (areas, categories, thresholds, r) in 0..1; NaN where no true box of the category is in the range.
    """
    tied = _tied(matches)
    copies = int(weights.max(initial=0)) if tied.any() else 0
    parts = _by_category(matches, _reading(matches, tied, copies))
    curves = [[_curve(matches, part, area, (1 + copies) * matches.images) for part in parts] for area in areas]
    precisions = np.zeros((len(areas), matches.categories, len(IOU_THRESHOLDS), len(weights)))
    truths = _truths(matches, weights)[list(areas)]
    for start in range(0, len(weights), _CHUNK):
        part = slice(start, start + _CHUNK)
        copied = [weights[part] > copy for copy in range(copies)]
        # Values that are read along a resample must be contiguous, whatever the layout of the weights.
        by_resample = np.ascontiguousarray(np.concatenate([weights[part], *copied], axis=1))
        by_row = np.ascontiguousarray(by_resample.T)
        for index, category in np.ndindex(truths.shape[:2]):
            precisions[index, category, :, part] = _average(
                curves[index][category], by_resample, by_row, truths[index, category, part]
            )
    precisions[np.broadcast_to(truths[:, :, None] == 0, precisions.shape)] = np.nan
    return precisions


def recalls(matches: Matches, weights: Ints) -> Floats:
    """Return the share of the true boxes that is found.

    Args:
        matches: the matched boxes.
        weights: how often (r, images) each image occurs in each of r resamples.

    Returns:
        Values (views, categories, thresholds, r) in 0..1; NaN where no true box of the category is in the range.
    """
    shape = (len(VIEWS), matches.categories, len(IOU_THRESHOLDS))
    image, category = matches.found.image[matches.candidate], matches.found.category[matches.candidate]
    right = np.stack(
        [matches.right[:, area] & (matches.rank[matches.candidate, None] < limit) for area, limit in VIEWS]
    )
    view, found, threshold = np.nonzero(right)
    row = np.ravel_multi_index((view, category[found], threshold), shape)
    hits = _sums(row, image[found], (int(np.prod(shape)), matches.images)) @ weights.T
    truths = _truths(matches, weights)[[area for area, _ in VIEWS], :, None]
    undefined = np.full((*shape, len(weights)), np.nan)
    shares: Floats = np.divide(hits.reshape(undefined.shape), truths, out=undefined, where=truths > 0)
    return shares


def _truths(matches: Matches, weights: Ints) -> Ints:
    """Return the number of true boxes (areas, categories, r)."""
    shape = (len(AREA_RANGES), matches.categories)
    box, area = np.nonzero(matches.counts)
    row = np.ravel_multi_index((area, matches.truth.category[box]), shape)
    counts: Ints = _sums(row, matches.truth.image[box], (int(np.prod(shape)), matches.images)) @ weights.T
    return counts.reshape(*shape, len(weights))


def _sums(row: Ints, column: Ints, shape: tuple[int, int], value: Ints | None = None) -> Any:
    """Return the matrix that adds up the columns of each row, once or ``value`` times each."""
    times = np.ones(len(row), dtype=np.int64) if value is None else value
    return sparse.coo_array((times, (row, column)), shape=shape).tocsr()


def _tied(matches: Matches) -> Flags:
    """Return which detections (n,) share their score with others of their image and category, one of which is right."""
    found = matches.found
    right = np.zeros(len(found.score), dtype=np.int64)
    right[matches.candidate] = matches.right.any(axis=(1, 2))
    run = _runs(found)
    flags: Flags = ((np.bincount(run) > 1) & (np.bincount(run, weights=right) > 0))[run]
    return flags


def _runs(found: FoundBoxes) -> Ints:
    """Return a number (n,) for each run of detections of equal category, score and image."""
    changes = [np.diff(column, prepend=column[:1]) != 0 for column in (found.category, found.score, found.image)]
    return np.cumsum(np.any(changes, axis=0))


def _reading(matches: Matches, tied: Flags, copies: int) -> _Reading:
    """Return the order of the detections in resamples that hold an image up to ``copies`` times.

    The copies of a detection follow each other and share a position and a weight. Only where detections of one image
    and category have the same score, the first copies of all come before the second copies: those have a position for
    each copy, with weight 1 in a resample with so many copies, else 0.
    """
    times = np.where(tied, copies, 1)
    detection = np.repeat(np.arange(len(times)), times)
    copy = np.arange(len(detection)) - np.repeat(np.cumsum(times) - times, times)
    row = matches.found.image[detection] + np.where(tied[detection], 1 + copy, 0) * matches.images
    order = np.lexsort((detection, copy, _runs(matches.found)[detection]))
    candidate = np.full(len(times), -1)
    candidate[matches.candidate] = np.arange(len(matches.candidate))
    return _Reading(detection[order], row[order], candidate[detection[order]])


def _by_category(matches: Matches, reading: _Reading) -> list[_Reading]:
    edges = np.searchsorted(matches.found.category[reading.found], np.arange(matches.categories + 1))
    return [
        _Reading(reading.found[start:end], reading.row[start:end], reading.candidate[start:end])
        for start, end in itertools.pairwise(edges)
    ]


def _curve(matches: Matches, reading: _Reading, area: int, rows: int) -> _Curve:
    """Return the curve of the detections of one category in one area range, ``rows`` the number of weights."""
    in_range = matches.in_range[reading.found, area]
    known = np.flatnonzero(reading.candidate >= 0)
    right, aside = (flags[reading.candidate[known], area] for flags in (matches.right, matches.aside))
    stops = known[right.any(axis=1)]
    # A detection without a box is wrong if it is in the range; where it finds a box or takes one, that decides.
    change = np.where(right, 1, np.where(aside, 0, in_range[known, None])) - in_range[known, None]
    return _Curve(
        passed=_sums_between(stops, np.flatnonzero(in_range), reading.row, rows),
        stops=tuple(
            _stops(known[right[:, threshold]], known, change[:, threshold], stops, reading.row, rows)
            for threshold in range(len(IOU_THRESHOLDS))
        ),
    )


def _stops(at: Ints, known: Ints, change: Ints, stops: Ints, row: Ints, rows: int) -> _Stops:
    changed = np.flatnonzero(change)
    matrix = _sums_between(at, known[changed], row, rows, change[changed]) if len(changed) else None
    return _Stops(np.searchsorted(stops, at), row[at], matrix)


def _sums_between(stops: Ints, passed: Ints, row: Ints, rows: int, value: Ints | None = None) -> Any:
    """Return the matrix that adds up the detections from stop to stop; those after the last are left out."""
    stop = np.searchsorted(stops, passed)
    before = stop < len(stops)
    return _sums(stop[before], row[passed[before]], (len(stops), rows), None if value is None else value[before])


def _average(curve: _Curve, by_resample: Ints, by_row: Ints, truths: Ints) -> Floats:
    """Return the mean precision (T, r) over the recall points of one category and area range.

    Args:
        curve: where true boxes are found.
        by_resample: the weights (r, rows).
        by_row: the same (rows, r), for faster access.
        truths: number of true boxes (r,).
    """
    passed = _running_sums(curve.passed @ by_row)
    # Recall points at or below the recall of 0, 1, 2, ... found boxes; resamples follow each other.
    most = int(truths.max(initial=0)) + 1
    points = _recall_points(np.minimum(np.arange(most) / np.maximum(truths, 1)[:, None], 1)).ravel()
    first = most * np.arange(len(truths))[:, None]
    means = np.zeros((len(curve.stops), len(truths)))
    for mean, stops in zip(means, curve.stops, strict=True):
        if not len(stops.index):
            continue
        changed = None if stops.change is None else _running_sums(stops.change @ by_row)
        step = max(1, _NUMBERS_IN_CACHE // len(stops.index))
        for start in range(0, len(truths), step):
            part = slice(start, start + step)
            found = np.cumsum(by_resample[part].take(stops.row, axis=1), axis=1)
            counted = passed[part].take(stops.index, axis=1)
            if changed is not None:
                counted += changed[part]
            precision = found / (counted + np.spacing(1))
            envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            reached = points.take(found + first[part])
            steps = reached[:, 1:] - reached[:, :-1]
            mean[part] = envelope[:, 0] * reached[:, 0] + np.vecdot(envelope[:, 1:], steps)
    return means / len(_RECALL_POINTS)


def _running_sums(values: Ints) -> Ints:
    """Return the running sums (r, m) of values (m, r)."""
    return np.cumsum(np.ascontiguousarray(values.T), axis=1)


def _recall_points(recall: Floats) -> Floats:
    """Return how many recall points are at or below each recall.

    Only the nearest point is compared, for all before it are more than a rounding error below, all after it above.
    """
    nearest = np.rint(recall * (len(_RECALL_POINTS) - 1))
    return nearest + (_RECALL_POINTS[nearest.astype(np.intp)] <= recall)
