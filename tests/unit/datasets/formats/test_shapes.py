"""Boxes around shapes."""

from __future__ import annotations

import pytest

from florence2.datasets.formats.shapes import box_of_ellipse, box_of_points, clipped, rotated_corners, xy_pairs
from florence2.datasets.formats.values import BadValueError


def test_a_box_turned_clockwise_where_y_points_down() -> None:
    corners = rotated_corners((2, 1, 6, 3), 90, (2, 1))
    assert [(round(x, 9), round(y, 9)) for x, y in corners] == [(2, 1), (2, 5), (0, 5), (0, 1)]
    assert box_of_points(corners) == (0, 1, 2, 5)


def test_an_ellipse_lies_within_the_box_of_its_axes() -> None:
    assert box_of_ellipse((10, 10), (4, 2)) == (6, 8, 14, 12)
    assert box_of_ellipse((10, 10), (4, 2), 90) == (8, 6, 12, 14)
    assert box_of_ellipse((0, 0), (3, 3), 17) == (-3, -3, 3, 3)


def test_clipping_leaves_what_is_outside_for_the_rules() -> None:
    assert clipped((-1, 2, 30, 4), (20, 10)) == (0, 2, 20, 4)
    assert clipped((21, 2, 30, 4), (20, 10)) == (21, 2, 30, 4)
    assert clipped((-1, 2, 30, 4), None) == (-1, 2, 30, 4)


@pytest.mark.parametrize("value", [None, [1, 2], [[1, 2, 3]], [[1, "x"]], [[1, 2]]])
def test_points_that_are_none(value: object) -> None:
    with pytest.raises(BadValueError, match="'points'"):
        xy_pairs(value, "'points'", 2)
