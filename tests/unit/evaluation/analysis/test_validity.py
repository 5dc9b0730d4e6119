"""Faulty answers are counted by kind."""

from __future__ import annotations

from dataclasses import replace

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.validity import validity
from florence2.evaluation.evaluated_sample import BOX_SCORE, EvaluatedSample
from florence2.evaluation.matching import match_image
from tests.builders import detections, evaluated_sample

RING = ("ring", 0.0, 0.0, 10.0, 10.0)


def row(prefix: str, target: str, text: str, value: float | None, **more: object) -> EvaluatedSample:
    values: dict[str, object] = {"score": "vqa_accuracy"} | more
    return evaluated_sample("a.png", (64, 64), prefix, target, text, value=value, **values)  # type: ignore[arg-type]


def box_row(prediction: Detections, target: Detections, **more: object) -> EvaluatedSample:
    image = match_image(prediction, target)
    return row("<OD>", "the boxes", "other boxes", image.f1, score=BOX_SCORE, boxes=image, **more)


def test_faulty_answers_are_counted() -> None:
    rows = [
        box_row(detections(RING, ("hat", 0, 0, 9, 9)), detections(RING), truncated=True, malformed=2, unscored=3),
        box_row(detections(RING), Detections.empty(), malformed=1),
        row("<VQA>what?", "a ring", " ", 0.0),
        row("<VQA>what?", "", "", 0.0),
    ]
    found = validity(rows, [each.boxes for each in rows if each.boxes is not None])
    assert found.answers == 4
    assert (found.invalid, found.cut, found.malformed, found.empty) == (2, 1, 2, 1)
    assert (found.boxes, found.unknown_names, found.unscored, found.without_truth) == (3, 1, 3, 1)


def test_boxes_of_classes_that_the_training_never_saw_are_counted() -> None:
    boxes = detections(RING, ("hat", 0, 0, 9, 9), ("hat", 0, 0, 5, 5))
    sample = box_row(boxes, detections(RING))
    prediction = replace(sample.prediction, detections=boxes, unseen=frozenset({"hat"}))
    found = validity([replace(sample, prediction=prediction)], [])
    assert (found.unseen, found.unseen_names) == (2, ("hat",))
