"""The samples that a report shows."""

from __future__ import annotations

from florence2.evaluation.evaluated_sample import BOX_SCORE
from florence2.evaluation.examples import choose_examples, example_of
from florence2.evaluation.matching import match_image
from tests.builders import detections, evaluated_sample

RING, DOT = ("ring", 0.0, 0.0, 10.0, 10.0), ("dot", 20.0, 20.0, 30.0, 30.0)


def test_examples_are_spread_over_each_task() -> None:
    tokens = ["<OD>"] * 6 + ["<VQA>"] * 3
    assert choose_examples(tokens, 4) == [0, 3, 6, 7]
    assert choose_examples(tokens, 3) == [0, 3, 6], "the first task has one more"
    assert choose_examples(tokens, 99) == list(range(9))
    assert choose_examples(tokens, 0) == []


def test_an_example_has_the_true_boxes_and_those_of_both_models() -> None:
    matched = match_image(detections(RING, ("hat", 0, 0, 5, 5)), detections(RING, DOT))
    after = evaluated_sample("a.png", (64, 48), "<OD>", "t", "new", BOX_SCORE, matched.f1, matched, truncated=True)
    none = match_image(detections(), detections(RING, DOT))
    before = evaluated_sample("a.png", (64, 48), "<OD>", "t", "old", BOX_SCORE, none.f1, none)
    example = example_of(after, before)
    assert (example.width, example.height, example.target) == (64, 48, "t")
    assert [(box.name, box.right) for box in example.truth or ()] == [("ring", True), ("dot", True)]
    assert [(box.name, box.right) for box in example.after.boxes] == [("ring", True), ("hat", False)]
    assert (example.after.text, example.after.cut, example.after.value) == ("new", True, 0.5)
    assert example.before is not None
    assert (example.before.text, example.before.boxes) == ("old", ())


def test_an_answer_without_boxes_has_no_true_boxes() -> None:
    example = example_of(evaluated_sample("a.png", (64, 48), "<VQA>what?", "1", "2", "vqa_accuracy", 0.0))
    assert example.truth is None
    assert example.before is None
