"""Boxes as items, in the unit in which the user wrote them."""

from __future__ import annotations

import numpy as np

from florence2.config import ValidationConfig
from florence2.datasets.checks.views import make_views
from florence2.datasets.checks.views.boxes import Box, BoxesView
from tests.builders import manifest
from tests.rules import BOX, OTHER


def view(*rows: dict[str, object]) -> BoxesView:
    return make_views(manifest(*rows), ValidationConfig()).boxes


def only_box(**row: object) -> Box:
    (box,) = view(row).items(np.array([0]))
    return box


def test_a_box_of_an_answer_is_written_in_tokens() -> None:
    box = only_box(suffix=f" cat {BOX}")
    assert str(box) == f"'cat' with {BOX}"
    assert (box.value, box.line, box.measures) == (f" cat {BOX}", 1, [10, 20, 300, 400])


def test_a_box_of_coordinates_is_written_in_pixels_and_has_its_own_line() -> None:
    box = only_box(suffix=f"cat{BOX}", box_lines="7", width=100, height=100)
    assert str(box) == "'cat' of 'train/1.png' at about x_min 1.1, y_min 2.1, x_max 30, y_max 40.1"
    assert box.line == 7


def test_sides_beyond_the_image_and_in_the_wrong_order_are_named() -> None:
    wide = only_box(suffix="cat<loc_-10><loc_20><loc_300><loc_1100>", box_lines="7", width=100, height=100)
    assert wide.sides_beyond_image == "x_min is about -0.9 and y_max is about 110, the image has 100 x 100 pixels"
    assert only_box(suffix="cat<loc_9><loc_2><loc_3><loc_40>").wrong_order == "x_min 9 > x_max 3"
    assert only_box(suffix="cat<loc_1><loc_9><loc_3><loc_4>").wrong_order == "y_min 9 > y_max 4"


def test_columns_of_the_boxes() -> None:
    boxes = view({"suffix": f"cat{BOX}{OTHER}"}, {"suffix": "<loc_5><loc_5><loc_9><loc_1>", "box_lines": "3"})
    assert boxes.table["x_min"].tolist() == [10, 500, 5]
    assert boxes.shorter_side.tolist() == [290, 200, -4]
    assert boxes.nameless.tolist() == boxes.from_coordinates.tolist() == [False, False, True]
    assert boxes.rows_of(np.array([0, 1])).tolist() == [0]


def test_equal_boxes_are_named_by_their_number_or_their_line() -> None:
    for lines, other in ((None, "box 1 of this answer"), ("4 4", "box 1 of this answer"), ("4 6", "the box in line 4")):
        boxes = view({"suffix": f"cat{BOX}cat{BOX}", "box_lines": lines})
        assert boxes.equal_to.tolist() == [-1, 0]
        (second,) = boxes.items(np.array([1]))
        assert boxes.other_box(second, 0) == other
