"""The samples that a person looks at first."""

from __future__ import annotations

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.extremes import extremes
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


def test_the_worst_and_the_best_samples_are_chosen_by_kind_and_none_twice() -> None:
    one, two = detections(RING), detections(RING, ("dot", 0, 0, 9, 9))
    rows = [
        box_row(one, one),  # 0: right
        box_row(Detections.empty(), one),  # 1: nothing found
        box_row(Detections.empty(), two),  # 2: nothing found of two
        box_row(one, two),  # 3: half of it
        box_row(two, two),  # 4: right, two of them
        row("<OCR>", "abc", "xyz", 1.0, score="character_error_rate"),  # 5: every letter wrong
        row("<OCR>", "abc", "abc", 0.0, score="character_error_rate"),  # 6: right
        row("<OCR>", "", "", None, score="character_error_rate"),  # 7: no value
    ]
    assert extremes(rows, 24, 12) == ([2, 1, 3, 5], [4, 0, 6])
    assert extremes(rows, 1, 1) == ([2, 5], [4, 6])
    assert extremes(rows, 0, 12) == ([], [4, 0, 3, 6])
    assert extremes([], 24, 12) == ([], [])
