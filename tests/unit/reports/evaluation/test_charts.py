"""Curves of the page have the computed values."""

from __future__ import annotations

import pytest

from florence2.reports.evaluation.charts import FRAME, curve_points
from tests.reports import AFTER, page


def test_the_drawn_curve_is_the_computed_one() -> None:
    curve = AFTER.analysis.curves.overall if AFTER.analysis and AFTER.analysis.curves else ()
    points = [tuple(map(float, point.split(","))) for point in curve_points(curve).split()]
    assert len(points) == 101
    heights = [1 - (y - FRAME.top) / FRAME.height for _, y in points]
    assert heights == pytest.approx(curve, abs=1e-3)
    assert (points[0][0], points[-1][0]) == (FRAME.left, FRAME.left + FRAME.width)
    assert curve_points(curve) in page()
