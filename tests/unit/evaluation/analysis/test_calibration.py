"""The calibration of confidences over a split."""

from __future__ import annotations

import pytest
from hypothesis import given

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.calibration import calibration
from florence2.evaluation.matching import match_image
from tests.builders import detections
from tests.splits import matched_images, scored, splits


@given(splits())
def test_calibration_is_over_every_predicted_box(images: list[tuple[Detections, Detections]]) -> None:
    found = calibration(matched_images(images))
    boxes = sum(len(prediction) for prediction, _ in images)
    assert (found is None) == (boxes == 0)
    if found:
        assert sum(one.boxes for one in found.bins) == boxes
        assert 0 <= found.error <= 1


def test_calibration_by_hand() -> None:
    target = detections(("ring", 0, 0, 10, 10), ("ring", 20, 0, 30, 10))
    guess = scored(
        detections(("ring", 0, 0, 10, 10), ("ring", 20, 0, 30, 10), ("ring", 50, 0, 60, 10)), 1.0, 0.625, 0.625
    )
    found = calibration([match_image(guess, target)])
    assert found is not None
    assert [(one.low, one.high, one.boxes, one.confidence, one.right) for one in found.bins] == [
        (0.6, 0.7, 2, 0.625, 0.5),
        (0.9, 1.0, 1, 1.0, 1.0),
    ]
    assert found.error == pytest.approx(2 / 3 * 0.125)
