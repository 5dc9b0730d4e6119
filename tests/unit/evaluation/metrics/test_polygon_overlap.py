"""Overlap of areas given by outlines: exact where it can be worked out by hand, and never fatal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from florence2.codec.detections import box_iou
from florence2.evaluation.metrics import polygon_overlap
from florence2.evaluation.metrics.polygon_overlap import polygon_iou

Outline = NDArray[np.float64]

bins = st.integers(0, 999)
boxes = st.tuples(bins, bins, bins, bins).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
)
outlines = st.lists(st.tuples(bins, bins), min_size=3, max_size=8).map(
    lambda points: np.array(points, dtype=np.float64)
)


def rectangle(x_min: float, y_min: float, x_max: float, y_max: float) -> Outline:
    return np.array([[x_min, y_min], [x_max, y_min], [x_max, y_max], [x_min, y_max]], dtype=np.float64)


def circle(radius: float, corners: int = 100) -> Outline:
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)


SQUARE = rectangle(0, 0, 2, 2)
TRIANGLE = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])


@pytest.mark.parametrize(
    ("first", "second", "overlap"),
    [
        ([SQUARE], [SQUARE], 1.0),
        ([SQUARE], [rectangle(1, 0, 3, 2)], 1 / 3),
        ([SQUARE], [rectangle(2, 0, 4, 2)], 0.0),
        ([np.array([[1, 0], [2, 1], [1, 2], [0, 1]])], [SQUARE], 0.5),
        ([rectangle(0, 0, 1, 1), rectangle(1, 1, 2, 2)], [SQUARE], 0.5),
        ([rectangle(0, 0, 2, 1.5), rectangle(0, 1, 2, 2)], [SQUARE], 1.0),  # outlines over each other count once
        ([np.array([[0, 0], [2, 2], [2, 0], [0, 2]])], [SQUARE], 0.5),  # an hourglass
        ([circle(50)], [circle(40)], 0.64),
        ([TRIANGLE], [np.array([[0, 0], [1, 0], [1, 0.7]])], 0.7 / (1.7 * 1.7 - 0.7)),  # edges cross at y = 0.7 / 1.7
        ([], [SQUARE], 0.0),
        ([SQUARE], [], 0.0),
        ([np.array([[0, 0], [1, 1], [2, 2]])], [SQUARE], 0.0),
        ([np.array([[5, 5], [5, 5], [5, 5]])], [np.array([[5, 5], [5, 5], [5, 5]])], 0.0),
    ],
)
def test_overlaps_that_are_known_are_exact(first: list[Outline], second: list[Outline], overlap: float) -> None:
    assert polygon_iou(first, second) == pytest.approx(overlap, abs=1e-9)
    assert polygon_iou(second, first) == pytest.approx(overlap, abs=1e-9)


@given(boxes, boxes)
@settings(deadline=None)
def test_rectangles_overlap_as_boxes_do(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> None:
    expected = box_iou(first, second)
    assert polygon_iou([rectangle(*first)], [rectangle(*second)]) == pytest.approx(expected, abs=1e-9)


@given(outlines, outlines)
@settings(max_examples=20, deadline=None)
def test_any_outlines_overlap_as_their_images_do(first: Outline, second: Outline) -> None:
    """Pillow draws the outline's own pixels as well, so its areas are larger by about half the perimeter."""
    drawn = []
    for outline in (first, second):
        image = Image.new("1", (2000, 2000))
        ImageDraw.Draw(image).polygon([(2 * x, 2 * y) for x, y in outline], fill=1)
        drawn.append(np.asarray(image))
    union = (drawn[0] | drawn[1]).sum()
    perimeter = sum(np.hypot(*(2 * (o - np.roll(o, 1, axis=0))).T).sum() for o in (first, second))
    if union > 20 * perimeter > 0:
        assert polygon_iou([first], [second]) == pytest.approx((drawn[0] & drawn[1]).sum() / union, abs=0.05)


_LINE = np.array([(0.0, 0.0), (0.0, 0.0), (285.0, 11.0)])


@given(st.lists(outlines, max_size=3), st.lists(outlines, max_size=3))
@example([_LINE], [_LINE])
@example([_LINE], [_LINE[::-1]])
@settings(max_examples=40, deadline=None)
def test_an_overlap_is_a_share_whatever_the_outlines(first: list[Outline], second: list[Outline]) -> None:
    overlap = polygon_iou(first, second)
    assert 0.0 <= overlap <= 1.0
    assert polygon_iou(second, first) == pytest.approx(overlap, abs=1e-9)
    wide, tall = ([outline * [3.0, 0.5] + 7 for outline in part] for part in (first, second))
    assert polygon_iou(wide, tall) == pytest.approx(overlap, abs=1e-6)


def test_with_many_crossings_the_error_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    first, second = ([rng.integers(0, 1000, (60, 2)).astype(np.float64)] for _ in range(2))
    evenly = polygon_iou(first, second)
    monkeypatch.setattr(polygon_overlap, "_ROWS", 10**6)
    exact = polygon_iou(first, second)
    assert exact != evenly == pytest.approx(exact, abs=1e-3)
