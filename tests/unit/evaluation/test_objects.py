"""Sizes of objects for a model, and boxes of each class."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.config import Configuration
from florence2.datasets import DatasetManifest, ingest
from florence2.evaluation.objects import class_counts, object_sides
from tests.builders import annotation, write_dataset


@pytest.fixture
def manifest(tmp_path: Path) -> DatasetManifest:
    lines = [
        annotation("a.png") | {"suffix": "cat<loc_0><loc_0><loc_100><loc_500>dog<loc_0><loc_0><loc_400><loc_200>"},
        annotation("a.png") | {"suffix": "cat<loc_500><loc_500><loc_500><loc_600>"},
        annotation("a.png", "<CAPTION_TO_PHRASE_GROUNDING>a cat") | {"suffix": "a cat<loc_0><loc_0><loc_9><loc_9>"},
        annotation("a.png", "<CAPTION>") | {"suffix": "a cat and a dog"},
    ]
    return ingest(Configuration(dataset=write_dataset(tmp_path, {"train": lines})).dataset)


def test_the_shorter_side_is_in_pixels_of_the_model(manifest: DatasetManifest) -> None:
    assert object_sides(manifest, (200, 100)) == pytest.approx([20.0, 20.0, 0.0])


def test_boxes_are_counted_by_class(manifest: DatasetManifest) -> None:
    assert class_counts(manifest) == {"cat": 2, "dog": 1}
