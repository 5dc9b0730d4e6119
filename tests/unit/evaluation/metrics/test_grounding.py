"""A phrase is found by its box of the highest confidence."""

from __future__ import annotations

import math

import numpy as np

from florence2.codec.detections import Detections
from florence2.evaluation.metrics.grounding import GroundingAccuracyMetric
from tests.builders import detections


def test_a_phrase_is_found_by_half_an_overlap() -> None:
    metric = GroundingAccuracyMetric()
    target = detections(("a dog", 0, 0, 100, 100), ("the sea", 0, 0, 1000, 500))
    metric.update(detections(("a dog", 0, 0, 100, 50), ("the sea", 0, 0, 1000, 240)), target)
    assert metric.compute() == {"grounding_accuracy": 0.5}


def test_of_several_true_boxes_any_one_will_do_and_the_phrase_counts_once() -> None:
    metric = GroundingAccuracyMetric()
    target = detections(("two dogs", 0, 0, 100, 100), ("two dogs", 500, 0, 600, 100))
    metric.update(detections(("two dogs", 500, 0, 600, 100)), target)
    metric.update(detections(("two dogs", 0, 0, 600, 100)), target)
    assert metric.values() == (1.0, 0.0)
    assert metric.counts() == {"captions": 2, "phrases": 2, "unknown_phrases": 0}


def test_a_phrase_has_one_chance_its_best_box() -> None:
    target = detections(("a dog", 0, 0, 100, 100))
    boxes = np.array([[500, 0, 600, 100], [0, 0, 100, 100]], dtype=np.float32)
    metric = GroundingAccuracyMetric()
    for confidence in ([0.9, 0.1], [0.1, 0.9], [0.5, 0.5], None):
        scores = None if confidence is None else np.array(confidence, dtype=np.float32)
        metric.update(Detections(boxes, ("a dog", "a dog"), scores), target)
    assert metric.values() == (0.0, 1.0, 0.0, 0.0)


def test_the_right_box_for_another_phrase_is_wrong_and_counted() -> None:
    metric = GroundingAccuracyMetric()
    metric.update(detections(("a cat", 0, 0, 100, 100)), detections(("a dog", 0, 0, 100, 100)))
    metric.update(detections(("a cat", 0, 0, 100, 100)), Detections.empty())
    assert metric.compute() == {"grounding_accuracy": 0.0}
    assert metric.counts()["unknown_phrases"] == 2
    assert math.isnan(metric.values()[1])
