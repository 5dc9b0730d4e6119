"""Questions are grouped by the kind of their answer and by their first words."""

from __future__ import annotations

import pytest

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.questions import questions
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


def test_questions_are_grouped_by_answer_and_opening() -> None:
    found = questions(
        [
            row("<VQA>How many rings?", "Two", "2", 1.0),
            row("<VQA>How many dots?", "3", "2", 0.0),
            row("<VQA>Is it red?", "yes.", "yes", 1.0),
            row("<VQA>Is it  blue?", "No", "yes", 0.0),
            row("<VQA>Is it a ring?", "no", "no", 1.0),
            row("<VQA>What?", "a ring", "ring", 0.5),
            row("<OCR>", "12", "12", 0.0, score="character_error_rate"),
        ]
    )
    assert found is not None
    assert found.score == "vqa_accuracy"
    assert [(group.name, group.questions) for group in found.by_answer] == [
        ("yes or no", 3),
        ("number", 2),
        ("other", 1),
    ]
    assert [group.value for group in found.by_answer] == pytest.approx([2 / 3, 0.5, 0.5])
    assert [(group.name, group.questions) for group in found.by_opening] == [("is it", 3), ("how many", 2), ("what", 1)]


def test_rare_openings_share_a_group() -> None:
    rows = [row(f"<VQA>word{index} is", "1", "1", 1.0) for index in range(14)]
    rows += [row("<VQA>word0 is", "1", "0", 0.0), row("<DocVQA>word0 is", "1", "1", 1.0, score="anls")]
    found = questions(rows)
    assert found is not None
    assert {group.name: group.questions for group in found.by_opening}["others"] == 2
    assert sum(group.questions for group in found.by_opening) == 15


def test_a_split_without_questions_has_no_groups() -> None:
    assert questions([box_row(detections(RING), detections(RING)), row("<CAPTION>", "a", "b", 0.5)]) is None
