"""``Detections``: equality, and the overlap of boxes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.detections import Detections, box_iou
from tests.builders import detections


def test_detections_are_equal_by_their_boxes() -> None:
    one = detections(("cat", 1, 2, 3, 4), ("dog", 5, 6, 7, 8))
    assert one == detections(("cat", 1, 2, 3, 4), ("dog", 5, 6, 7, 8))
    assert one != detections(("dog", 5, 6, 7, 8), ("cat", 1, 2, 3, 4))
    assert one != detections(("cat", 1, 2, 3, 4), ("dog", 5, 6, 7, 9))
    assert one != Detections(one.xyxy, one.class_name, np.ones(2, dtype=np.float32))
    assert Detections.empty() == Detections.empty()
    assert one != "cat"


def test_iou_of_each_box_with_each_other() -> None:
    found = detections(("ring", 0, 0, 10, 5), ("ring", 20, 20, 30, 30), ("dot", 0, 0, 0, 0))
    true = detections(("ring", 0, 0, 10, 10), ("dot", 0, 0, 0, 0))
    assert found.iou(true).tolist() == [[0.5, 0.0], [0.0, 0.0], [0.0, 0.0]]
    assert found.iou(Detections.empty()).shape == (3, 0)
    assert Detections.empty().iou(true).shape == (0, 2)


def test_boxes_that_are_turned_inside_out_overlap_nothing() -> None:
    assert box_iou([[9, 9, 1, 1], [9, 1, 1, 9]], [[0, 0, 10, 10], [0, 0, 10, 10]]).tolist() == [0.0, 0.0]


corners = st.integers(0, 12)
boxes = st.tuples(corners, corners, corners, corners).map(
    lambda box: (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))
)


@given(boxes, boxes)
def test_iou_counts_the_cells_of_a_grid(first: tuple[int, int, int, int], second: tuple[int, int, int, int]) -> None:
    def cells(box: tuple[int, int, int, int]) -> set[tuple[int, int]]:
        return {(x, y) for x in range(box[0], box[2]) for y in range(box[1], box[3])}

    ours, theirs = cells(first), cells(second)
    expected = len(ours & theirs) / len(ours | theirs) if ours & theirs else 0.0
    assert float(box_iou(first, second)) == expected
    assert np.array_equal(box_iou(first, second), box_iou(second, first))


def test_boxes_without_area_are_left_out_with_their_names_and_confidences() -> None:
    corners = np.array([[0, 0, 0, 9], [1, 1, 5, 5], [0, 3, 9, 3]], dtype=np.float32)
    scores = np.array([0.1, 0.2, 0.3], dtype=np.float32)
    found = Detections(corners, ("a", "b", "c"), scores).with_area()
    assert found == Detections(corners[1:2], ("b",), scores[1:2])
    assert Detections.empty().with_area() == Detections.empty()
    assert Detections(corners, ("a", "b", "c")).with_area().confidence is None
