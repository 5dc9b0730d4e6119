"""Regions beyond their image, in pixels."""

from __future__ import annotations

import numpy as np

from florence2.datasets.checks.views.regions import beyond_image, in_pixels
from florence2.datasets.checks.views.rows import Row, rows_at
from tests.builders import manifest

WIDE = "a<loc_0><loc_0><loc_1100><loc_0><loc_1100><loc_-50><loc_0><loc_9>"
INSIDE = "b<loc_0><loc_0><loc_100><loc_0><loc_100><loc_50><loc_0><loc_9>"


def row(**values: object) -> Row:
    (found,) = rows_at(manifest({"width": 200, "height": 100} | values), np.array([0]))
    return found


def test_bins_become_pixels_of_the_size_that_the_annotations_declare() -> None:
    assert in_pixels(row(), [0, 0, 999, 999]) == [0.1, 0.1, 199.9, 100.0]
    assert in_pixels(row(declared_width=20, declared_height=10), [500, 500]) == [10.0, 5.0]


def test_bins_of_an_image_of_unknown_size_stay_bins() -> None:
    assert in_pixels(row(width=None, height=None), [5, 7]) == [5.0, 7.0]


def test_only_the_regions_that_leave_the_image_are_named_by_their_lines() -> None:
    message = "'a' in line 8 reaches to about x 220.1, y -5; the image has 200 x 100 pixels"
    assert beyond_image(row(suffix=INSIDE + WIDE, box_lines="4 8")) == message


def test_a_line_is_left_out_where_there_is_not_one_for_each_region() -> None:
    assert beyond_image(row(suffix=INSIDE + WIDE, box_lines="4")).startswith("'a' reaches to about x 220.1, y -5;")


def test_a_long_list_of_regions_is_cut() -> None:
    text = beyond_image(row(suffix=WIDE * 8, box_lines=" ".join("12345678")))
    assert text.count("reaches") == 5
    assert "; and 3 more; the image has" in text
