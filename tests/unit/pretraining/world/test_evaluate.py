"""How well a base does without fine-tuning, on scenes that it has not seen."""

from __future__ import annotations

from pretraining.world.evaluate import _of_others, held_out, word_accuracy
from tests.unit.pretraining.world.drawn import SIDE


def test_word_accuracy_is_one_less_the_word_error_rate() -> None:
    assert word_accuracy([["a", "b"]], [["a", "b"]]) == 1.0
    assert word_accuracy([["a", "c"], []], [["a", "b"], ["d", "e"]]) == 0.25
    assert word_accuracy([["x"] * 9], [["a"]]) == 0.0


def test_who_guesses_takes_the_answer_of_another_scene_of_its_group() -> None:
    assert _of_others(["a", "b", "c", "d", "e"], [1, 2, 1, 3, 1]) == ["c", "", "e", "", "a"]


def test_held_out_scenes_are_no_larger_than_documented() -> None:
    counts = {
        task: [len(scene.facts) for scene, _ in held_out(16, 0, SIDE, task)] for task in ("<OD>", "<DETAILED_CAPTION>")
    }
    assert set(counts["<OD>"]) <= set(range(1, 9))
    assert max(counts["<OD>"]) > 6 >= max(counts["<DETAILED_CAPTION>"])
    lines = {len(scene.lines) for scene, _ in held_out(24, 0, SIDE, "<OCR>") if scene.kind == "document"}
    assert {2, 3, 4} == lines
