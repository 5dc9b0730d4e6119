"""Prediction and target as the metrics of each kind of answer take them."""

from __future__ import annotations

import numpy as np
import pytest

from florence2.codec.detections import Detections
from florence2.codec.regions import PROPOSAL, Polygons, Quads
from florence2.codec.tasks import AnswerKind
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from florence2.evaluation.metrics.inputs import metric_inputs

BIG = (1000, 1000)
LEFT, RIGHT = (0, 0, 400, 999), (500, 0, 900, 999)


def locations(*numbers: int) -> str:
    return "".join(f"<loc_{number}>" for number in numbers)


def rectangle(x_min: int, y_min: int, x_max: int, y_max: int) -> str:
    """Return the eight location tokens of a rectangle's corners."""
    return locations(x_min, y_min, x_max, y_min, x_max, y_max, x_min, y_max)


def test_proposals_are_evaluated_as_boxes_of_one_class() -> None:
    metric = MeanAveragePrecisionMetric()
    text = locations(0, 0, 400, 400, 500, 500, 900, 900)
    prediction, target = metric_inputs(AnswerKind.PROPOSALS, text, None, text, BIG)
    assert isinstance(prediction, Detections)
    assert isinstance(target, Detections)
    metric.update(prediction, target)
    assert metric.compute()["map"] == pytest.approx(1.0)
    assert set(metric.per_class()) == {PROPOSAL}


def test_a_proposal_without_area_is_no_prediction_but_an_annotation() -> None:
    text = locations(0, 0, 400, 400, 500, 500, 500, 900)
    prediction, target = metric_inputs(AnswerKind.PROPOSALS, text, None, text, BIG)
    assert isinstance(prediction, Detections)
    assert isinstance(target, Detections)
    assert (len(prediction), len(target)) == (1, 2)


def test_detections_with_their_scores_are_taken_as_they_are() -> None:
    scored = Detections(np.zeros((1, 4), dtype=np.float32), ("cat",), np.array([0.3], dtype=np.float32))
    for kind in (AnswerKind.BOXES, AnswerKind.PROPOSALS):
        assert metric_inputs(kind, "ignored", scored, "", BIG)[0] is scored
    assert metric_inputs(AnswerKind.PROPOSALS, locations(1, 2, 3, 4), Detections.empty(), "", BIG)[0] is not None


@pytest.mark.parametrize(
    ("kind", "of"),
    [(AnswerKind.QUADS, Quads), (AnswerKind.POLYGONS, Polygons), (AnswerKind.TEXT, str), (AnswerKind.ANSWER, str)],
)
def test_other_answers_are_read_as_their_task_writes_them(kind: AnswerKind, of: type) -> None:
    for part in metric_inputs(kind, "a" + rectangle(*LEFT), None, rectangle(*RIGHT), BIG):
        assert isinstance(part, of)
