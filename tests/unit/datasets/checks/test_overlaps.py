"""Equal and nearly equal boxes are those that comparing every pair finds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.datasets.checks.overlaps import find_same_boxes

Box = tuple[int, int, int, int]
sides = st.integers(-2, 12)
boxes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.tuples(sides, sides, sides, sides)), max_size=25)


def iou(left: Box, right: Box) -> float:
    areas = [max(box[2] - box[0], 0) * max(box[3] - box[1], 0) for box in (left, right)]
    width = min(left[2], right[2]) - max(left[0], right[0])
    height = min(left[3], right[3]) - max(left[1], right[1])
    overlap = max(width, 0) * max(height, 0)
    return overlap / (sum(areas) - overlap) if all(areas) else 0.0


@settings(max_examples=150, deadline=None)
@given(boxes, st.sampled_from([0.3, 0.5, 0.9]))
def test_it_agrees_with_comparing_every_pair(found: list[tuple[int, int, Box]], near_iou: float) -> None:
    ordered = sorted(found, key=lambda one: one[0])
    rows, names, bins = (np.array([one[at] for one in ordered], dtype=np.int64) for at in range(3))
    same, nearly = find_same_boxes(rows, names, bins.reshape(-1, 4), near_iou)
    expected_same, expected_nearly = [], []
    for at, (row, name, box) in enumerate(ordered):
        before = [k for k in range(at) if ordered[k][:2] == (row, name)]
        equal = [k for k in before if ordered[k][2] == box]
        expected_same.append(equal[0] if equal else -1)
        # A box that repeats another counts for that alone, and is not a partner of a third.
        near = [k for k in before if iou(ordered[k][2], box) > near_iou and expected_same[k] < 0]
        expected_nearly.append(near[0] if near and not equal else -1)
    assert same.tolist() == expected_same
    assert nearly.tolist() == expected_nearly


def test_numbers_far_outside_are_distinguished() -> None:
    rows, names = np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64)
    bins = np.array([[0, 0, 999_999_999, 5], [0, 0, 999_999_998, 5], [-999_999_999, 0, 999_999_999, 5]])
    same, nearly = find_same_boxes(rows, names, bins, 0.9999)
    assert same.tolist() == [-1, -1, -1]
    assert nearly.tolist() == [-1, 0, -1]


def test_stacks_of_boxes_are_compared_with_their_neighbours_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("florence2.datasets.checks.overlaps._MOST_PAIRS", 3000)
    count = 2000
    bins = np.stack([np.zeros(count), np.arange(count), np.full(count, 900), np.arange(count) + 900], axis=1)
    alone = np.zeros(count, dtype=np.int64)
    same, nearly = find_same_boxes(alone, alone, bins.astype(np.int64), 0.9)
    assert (same == -1).all()
    assert nearly.tolist() == [-1, *range(count - 1)]
