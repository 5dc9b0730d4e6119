"""Which detections match a true box, by the rules of COCO."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

from florence2.evaluation.metrics import coco_matching
from florence2.evaluation.metrics.coco_matching import IOU_THRESHOLDS, FoundBoxes, Matches, TrueBoxes, match_boxes

SQUARE = [0.0, 0.0, 10.0, 10.0]


def truth(*xywh: list[float], crowd: bool = False) -> TrueBoxes:
    boxes, zeros = np.array(xywh), np.zeros(len(xywh), dtype=np.int64)
    flags = np.full(len(xywh), crowd)
    return TrueBoxes(zeros, zeros, boxes, boxes[:, 2] * boxes[:, 3], flags, np.ones(len(xywh), dtype=np.bool_))


def found(*xywh: list[float]) -> FoundBoxes:
    """Return detections with descending scores."""
    zeros = np.zeros(len(xywh), dtype=np.int64)
    return FoundBoxes(zeros, zeros, np.array(xywh), np.linspace(0.9, 0.1, len(xywh)))


def right_at_half(matches: Matches) -> list[bool]:
    right: list[bool] = matches.right[:, 0, 0].tolist()
    return right


def test_the_detection_with_the_higher_score_takes_the_only_true_box() -> None:
    matches = match_boxes(truth(SQUARE), found([0, 0, 10, 9], SQUARE), images=1, categories=1)
    assert right_at_half(matches) == [True, False]


def test_a_detection_is_right_up_to_the_threshold_of_its_overlap() -> None:
    matches = match_boxes(truth(SQUARE), found([0, 0, 10, 7.6]), images=1, categories=1)
    assert matches.right[0, 0].tolist() == (IOU_THRESHOLDS <= 0.76).tolist()


def test_a_crowd_takes_any_number_of_detections_that_are_neither_right_nor_wrong() -> None:
    matches = match_boxes(truth(SQUARE, crowd=True), found(SQUARE, SQUARE), images=1, categories=1)
    assert not matches.right.any()
    assert matches.aside[:, 0, 0].tolist() == [True, True]
    assert not matches.counts.any()


def test_chunks_of_pairs_give_the_same_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    boxes = [[float(x), float(y), 20.0, 20.0] for x, y in rng.integers(0, 15, (12, 2))]
    expected = match_boxes(truth(*boxes[:6]), found(*boxes[6:]), images=1, categories=1)
    monkeypatch.setattr(coco_matching, "_PAIRS_IN_MEMORY", 3)
    matches = match_boxes(truth(*boxes[:6]), found(*boxes[6:]), images=1, categories=1)
    for field in fields(Matches):
        if isinstance(getattr(expected, field.name), np.ndarray):
            np.testing.assert_array_equal(getattr(matches, field.name), getattr(expected, field.name))
