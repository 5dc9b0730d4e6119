"""Questions are answered by what was drawn."""

from __future__ import annotations

import numpy as np

from florence2.codec.answers import parse_detections
from florence2.codec.regions import parse_proposals, parse_quads
from florence2.codec.tasks import TASKS
from pretraining.world.objects import COLORS
from pretraining.world.questions import PAIRS_BY_TASK, long_pair, pair_of_task, short_pair
from tests.unit.pretraining.world.drawn import SIDE, scenes


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
                tokens.add(TASKS.task_of(pair[0]).token)
    assert tokens == set(PAIRS_BY_TASK)
