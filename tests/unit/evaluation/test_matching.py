"""Predicted boxes matched with the true boxes of an image."""

from __future__ import annotations

import pytest

from florence2.codec.detections import Detections
from florence2.evaluation.matching import match_image
from tests.builders import detections


def test_the_value_of_an_image_counts_found_missed_and_invented_boxes() -> None:
    ring = ("ring", 0.0, 0.0, 10.0, 10.0)
    assert match_image(Detections.empty(), Detections.empty()).f1 == 1.0
    assert match_image(detections(ring), detections(ring, ("dot", 0, 0, 9, 9))).f1 == pytest.approx(2 / 3)
    assert match_image(detections(ring), Detections.empty()).f1 == 0.0
