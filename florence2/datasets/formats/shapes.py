"""Boxes around the shapes that tools for labelling know: x_min, y_min, x_max, y_max in the unit of the shape."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from florence2.datasets.formats.values import BadValueError, excerpt, number

__all__ = ["box_of_ellipse", "box_of_points", "clipped", "rotated_corners", "xy_pairs"]

Box = tuple[float, float, float, float]

_DECIMALS = 6
"""Computed coordinates are rounded: an edge at 20.000000001 of 200 pixels would be a bin further than one at 20."""


def xy_pairs(value: Any, what: str, least: int) -> list[tuple[float, float]]:
    """Return points given as a list of [x, y].

    Args:
        value: what the file holds.
        what: names it in messages.
        least: how many points there must be.

    Raises:
        BadValueError: it is no such list, a number is not finite, or there are too few points.
    """
    if not isinstance(value, list) or any(not isinstance(point, list) or len(point) != 2 for point in value):
        raise BadValueError(f"{what} is {excerpt(value)}, not a list of [x, y]")
    if len(value) < least:
        raise BadValueError(f"{what} has {len(value)} points, not {least} or more")
    return [(number(x, f"a number of {what}"), number(y, f"a number of {what}")) for x, y in value]


def box_of_points(points: Iterable[tuple[float, float]]) -> Box:
    """Return the box around points."""
    x, y = zip(*points, strict=True)
    return _rounded((min(x), min(y), max(x), max(y)))


def rotated_corners(box: Sequence[float], degrees: float, pivot: tuple[float, float]) -> list[tuple[float, float]]:
    """Return the four corners of a box turned clockwise, as y points down, about a point.

    Args:
        box: x_min, y_min, x_max, y_max in a unit that is the same for x and y.
        degrees: the angle.
        pivot: x, y of the point that stays.
    """
    x_min, y_min, x_max, y_max = box
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    arms = [(x - pivot[0], y - pivot[1]) for x, y in ((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))]
    return [(pivot[0] + x * cos - y * sin, pivot[1] + x * sin + y * cos) for x, y in arms]


def box_of_ellipse(centre: tuple[float, float], radii: tuple[float, float], degrees: float = 0.0) -> Box:
    """Return the box around an ellipse turned about its centre; x and y have the same unit."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    half_width = math.hypot(radii[0] * cos, radii[1] * sin)
    half_height = math.hypot(radii[0] * sin, radii[1] * cos)
    x, y = centre
    return _rounded((x - half_width, y - half_height, x + half_width, y + half_height))


def clipped(box: Box, size_wh: tuple[float, float] | None) -> Box:
    """Return a box within its image; for boxes around shapes whose corners may leave an image that the shape does not.

    A box that is all outside stays as it is, so that a rule reports it; so does a box of an image of unknown size.
    """
    if size_wh is None or box[0] >= size_wh[0] or box[1] >= size_wh[1] or box[2] <= 0 or box[3] <= 0:
        return box
    return max(box[0], 0.0), max(box[1], 0.0), min(box[2], size_wh[0]), min(box[3], size_wh[1])


def _rounded(box: Box) -> Box:
    x_min, y_min, x_max, y_max = (round(value, _DECIMALS) for value in box)
    return x_min, y_min, x_max, y_max
