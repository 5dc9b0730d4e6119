"""The order of boxes in an answer: only the order changes, and only where there are boxes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.grammar import format_spans
from florence2.codec.tasks import TASKS, AnswerKind
from florence2.training.box_order import ordered, single_boxes, with_one_name_per_box
from tests.builders import manifest

names = st.sampled_from(["cat", "9 of clubs", "t-shirt", " dog", "猫"])
bins = st.tuples(*[st.integers(0, 999)] * 4)
boxes = st.lists(st.tuples(names, bins), max_size=8)
SHARED = "cat<loc_5><loc_1><loc_9><loc_9><loc_3><loc_2><loc_9><loc_9>dog<loc_4><loc_0><loc_9><loc_9>"


@settings(max_examples=25)
@given(boxes=boxes)
def test_single_boxes_is_the_inverse_of_writing_them(boxes: list[tuple[str, tuple[int, ...]]]) -> None:
    assert single_boxes(format_spans(boxes)) == boxes


@settings(max_examples=25)
@given(boxes=boxes, seed=st.integers(0, 99))
def test_a_random_order_is_a_permutation(boxes: list[tuple[str, tuple[int, ...]]], seed: int) -> None:
    changed = ordered(TASKS["<OD>"], format_spans(boxes), "random", np.random.default_rng(seed))
    assert sorted(single_boxes(changed)) == sorted(boxes)
    assert changed == ordered(TASKS["<OD>"], format_spans(boxes), "random", np.random.default_rng(seed))


def test_every_random_order_occurs() -> None:
    random = np.random.default_rng(0)
    seen = {ordered(TASKS["<OD>"], SHARED, "random", random) for _ in range(60)}
    assert len(seen) == 6


@settings(max_examples=25)
@given(boxes=boxes)
def test_left_to_right_is_sorted_by_left_then_top_edge_and_stays_so(
    boxes: list[tuple[str, tuple[int, ...]]],
) -> None:
    changed = ordered(TASKS["<OD>"], format_spans(boxes), "left_to_right")
    corners = [box[:2] for _, box in single_boxes(changed)]
    assert corners == sorted(corners)
    assert sorted(single_boxes(changed)) == sorted(boxes)
    assert ordered(TASKS["<OD>"], changed, "left_to_right") == changed


def test_boxes_of_one_corner_keep_their_order() -> None:
    answer = "b<loc_1><loc_1><loc_9><loc_9>a<loc_1><loc_1><loc_5><loc_5>"
    assert ordered(TASKS["<OD>"], answer, "left_to_right") == answer


def test_a_name_that_was_written_once_stays_with_each_of_its_boxes() -> None:
    assert ordered(TASKS["<OD>"], SHARED, "left_to_right") == (
        "cat<loc_3><loc_2><loc_9><loc_9>dog<loc_4><loc_0><loc_9><loc_9>cat<loc_5><loc_1><loc_9><loc_9>"
    )
    assert sorted(single_boxes(ordered(TASKS["<OD>"], SHARED, "random", np.random.default_rng(1)))) == [
        ("cat", (3, 2, 9, 9)),
        ("cat", (5, 1, 9, 9)),
        ("dog", (4, 0, 9, 9)),
    ]


def test_the_given_order_and_a_random_one_without_chance_change_no_letter() -> None:
    assert ordered(TASKS["<OD>"], SHARED, "given", np.random.default_rng(0)) == SHARED
    assert ordered(TASKS["<OD>"], SHARED, "random") == SHARED


@pytest.mark.parametrize("order", ["left_to_right", "random"])
def test_answers_of_other_kinds_stay_as_they_are(order: str) -> None:
    others = [task for task in TASKS.values() if task.answer is not AnswerKind.BOXES]
    assert len(others) > 5
    for task in others:
        assert ordered(task, SHARED, order, np.random.default_rng(1)) == SHARED


def test_a_name_for_several_boxes_is_written_before_each_of_them() -> None:
    """So that an answer too long for the decoder is found before the training, not by it."""
    shared = "cat<loc_1><loc_2><loc_3><loc_4><loc_5><loc_6><loc_7><loc_8>"
    rows = manifest({"suffix": shared}, {"task": "<VQA>", "prefix": "<VQA>what?", "suffix": "<loc_1>"})
    out = with_one_name_per_box(rows)
    assert out.table["suffix"].tolist() == ["cat<loc_1><loc_2><loc_3><loc_4>cat<loc_5><loc_6><loc_7><loc_8>", "<loc_1>"]
    assert rows.table["suffix"].tolist()[0] == shared
