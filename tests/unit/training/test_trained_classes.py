"""The classes of a training split are those in the answers of tasks with classes."""

from __future__ import annotations

from florence2.training.trained_classes import trained_classes
from tests.builders import manifest

BOX = "<loc_1><loc_2><loc_3><loc_4>"


def test_classes_are_those_of_detections_with_single_blanks() -> None:
    rows = [
        {"prefix": "<OD>", "task": "<OD>", "suffix": f"red  dog {BOX}cat{BOX}"},
        {"prefix": "<OD>", "task": "<OD>", "suffix": f"cat{BOX}"},
        {
            "prefix": "<CAPTION_TO_PHRASE_GROUNDING>a cow",
            "task": "<CAPTION_TO_PHRASE_GROUNDING>",
            "suffix": f"cow{BOX}",
        },
    ]
    assert trained_classes(manifest(*rows)) == ("cat", "red dog")


def test_a_training_without_detections_says_nothing_about_classes() -> None:
    assert trained_classes(manifest({"prefix": "<VQA>what?", "task": "<VQA>", "suffix": "a cat"})) is None
