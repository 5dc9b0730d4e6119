"""What a report says of answers: questions by kind, answers that are none, the rows to look at first."""

from __future__ import annotations

import numpy as np
import pytest

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.analyse import analyse
from florence2.evaluation.analysis.extremes import extremes
from florence2.evaluation.analysis.questions import questions
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


def test_answers_that_are_none_are_counted() -> None:
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


def test_the_worst_and_the_best_rows_are_chosen_by_sort_and_none_twice() -> None:
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


def test_a_split_of_texts_has_no_boxes_to_analyse() -> None:
    found = analyse([row("<CAPTION>", "a", "b", 0.5)], [])
    assert found.validity.answers == 1
    assert (found.curves, found.confusion, found.calibration, found.questions) == (None, None, None, None)
    assert found.sizes == found.crowding == ()


def test_the_rows_and_columns_of_an_analysis_are_plain_numbers() -> None:
    """They are written to JSON: numpy's own numbers would not be."""
    scored = Detections(np.array([[0, 0, 10, 10]], np.float32), ("ring",), np.array([0.5], np.float32))
    image = match_image(scored, detections(RING))
    found = analyse([], [image])
    assert found.curves is not None
    assert found.calibration is not None
    assert found.confusion is not None
    assert {type(value) for value in found.curves.overall} == {float}
    assert type(found.calibration.error) is float
    assert type(found.confusion.counts[0][0]) is int
