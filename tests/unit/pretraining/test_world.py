"""The wide world of scenes: what is drawn lies where its box says, and what is asked is answered rightly."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from florence2.codec.answers import parse_detections
from florence2.codec.regions import parse_proposals, parse_quads
from florence2.codec.tasks import split_prefix
from florence2.config import ModelConfig
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from pretraining.course import Mark, as_pixels
from pretraining.courses import COURSES
from pretraining.heads import cell_targets
from pretraining.world.evaluate import _of_others, held_out, measure, word_accuracy
from pretraining.world.objects import CLASSES, COLORS
from pretraining.world.questions import PAIRS_BY_TASK, long_pair, pair_of_task, short_pair
from pretraining.world.scenes import Kind, WorldScene, draw_world, vary

SIDE = 128
WORLD = COURSES["world"]


def scenes(kind: Kind, count: int, **options: Any) -> list[WorldScene]:
    rng = np.random.default_rng(3)
    drawn = [draw_world(rng, SIDE, kind, 1 + index % 5, **options) for index in range(count)]
    return [scene for scene in drawn if scene.facts or scene.lines]


@pytest.fixture(scope="module")
def small() -> Florence2:
    return load_base(ModelConfig(base="builtin:small"))


def test_a_scene_is_a_function_of_its_seed() -> None:
    first, again = (draw_world(np.random.default_rng(7), SIDE, "objects", 6) for _ in range(2))
    assert np.array_equal(np.asarray(first.image), np.asarray(again.image))
    assert first.detections == again.detections
    assert first.facts == again.facts


@pytest.mark.parametrize("kind", ["objects", "crowd"])
def test_an_object_has_its_colour_within_its_box(kind: Kind) -> None:
    seen = 0
    for scene in scenes(kind, 40):
        assert set(scene.detections.class_name) <= set(CLASSES)
        pixels = np.asarray(scene.image, dtype=np.float64)
        for box, fact in zip(scene.detections.xyxy, scene.facts, strict=True):
            left, top = np.floor(box[:2]).astype(int)
            right, bottom = np.ceil(box[2:]).astype(int)
            distance = np.abs(pixels[top:bottom, left:right] - COLORS[fact["color"]]).max(axis=-1)
            seen += bool((distance < 60).mean() > 0.08)
    total = sum(len(scene.facts) for scene in scenes(kind, 40))
    # Others may lie on top of an object, and some are half transparent.
    assert seen > 0.93 * total > 30


def test_writing_lies_within_its_box() -> None:
    for scene in scenes("words", 30, scale=(0.1, 0.2)):
        for line in scene.lines:
            assert "".join(character for character, _ in line.characters) == line.text.replace(" ", "")
            middles = np.array([middle for _, middle in line.characters])
            assert (middles >= line.box[:2] - 2).all()
            assert (middles <= line.box[2:] + 2).all()


def test_answers_in_regions_say_where_things_are() -> None:
    rng = np.random.default_rng(0)
    for scene in scenes("objects", 20):
        size = scene.image.size
        _, answer = pair_of_task(rng, scene, "<OD>") or ("", "")
        read = parse_detections(answer, size)
        assert read.class_name == scene.detections.class_name
        assert np.abs(read.xyxy - scene.detections.xyxy).max() < SIDE / 1000 + 1e-3
        _, answer = pair_of_task(rng, scene, "<REGION_PROPOSAL>") or ("", "")
        assert len(parse_proposals(answer, size)) == len(scene.facts)
    for scene in scenes("document", 20):
        _, answer = pair_of_task(rng, scene, "<OCR_WITH_REGION>") or ("", "")
        assert parse_quads(answer, scene.image.size).text == tuple(line.text for line in scene.lines)


def test_questions_are_answered_by_what_was_drawn() -> None:
    rng = np.random.default_rng(1)
    answered: dict[str, set[str]] = {"count": set(), "colour": set()}
    for scene in scenes("objects", 40):
        for _ in range(40):
            prefix, answer = pair_of_task(rng, scene, "<VQA>") or ("", "")
            question = prefix.removeprefix("<VQA>")
            if question.startswith("how many objects"):
                assert answer == str(len(scene.facts))
                answered["count"].add(answer)
            for color in COLORS:
                if question == f"is there a {color} object?":
                    assert answer == ("yes" if color in {fact["color"] for fact in scene.facts} else "no")
                    answered["colour"].add(answer)
    assert answered["colour"] == {"yes", "no"}
    assert len(answered["count"]) > 3


def test_a_question_about_a_document_requests_the_value_of_a_field() -> None:
    rng = np.random.default_rng(2)
    for scene in scenes("document", 20):
        prefix, suffix = pair_of_task(rng, scene, "<DocVQA>") or ("", "")
        assert any(line.field in prefix and line.value == suffix and suffix in line.text for line in scene.lines)


def test_every_prefix_is_one_that_the_library_takes() -> None:
    rng = np.random.default_rng(4)
    tokens = set()
    for kind in ("objects", "crowd", "words", "document"):
        for scene in scenes(kind, 60, scale=(0.1, 0.2)):
            for pair in (long_pair(rng, scene), short_pair(rng, scene)):
                tokens.add(split_prefix(pair[0])[0].token)
    assert tokens == set(PAIRS_BY_TASK)


def test_variation_keeps_positions_and_follows_its_seed() -> None:
    pixels = as_pixels(scenes("objects", 4)).float() / 255
    first, again, other = (vary(pixels, (0, step)) for step in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.corrcoef(torch.stack([first.flatten(), pixels.flatten()]))[0, 1] > 0.8


def test_the_smaller_of_two_things_wins_a_cell() -> None:
    large, small = (
        Mark(np.array(box), {"color": color}) for box, color in (((0, 0, 1, 1), "red"), ((0.4, 0.4, 0.6, 0.6), "blue"))
    )
    targets = cell_targets([[small, large]], WORLD, grid=5)
    colors = targets.attributes["color"].view(5, 5)
    assert colors[2, 2] == list(COLORS).index("blue")
    assert colors[1, 2] == list(COLORS).index("red")
    assert targets.present.view(5, 5)[0, 0] == 0
    assert targets.middles[0, :2].tolist() == [12, -1]
    assert (targets.attributes["character"] == -100).all()


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


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no scenes of the kind 'word'; there are: objects, crowd, words, document"):
        draw_world(np.random.default_rng(0), SIDE, "word", 2)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("task", "score", "least"),
    [
        ("<OD>", "map50", 0.8),
        ("<OCR>", "word accuracy", 0.8),
        ("<VQA>", "accuracy", 0.8),
        ("<DocVQA>", "accuracy", 0.75),
    ],
)
def test_small_does_without_fine_tuning(small: Florence2, task: str, score: str, least: float) -> None:
    scores = measure(small, task, count=48, seed=11, side=SIDE)
    assert scores[score] > least > scores["blind"] + 0.2
