"""What is drawn is where its box says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pretraining.course import as_pixels
from pretraining.world.objects import CLASSES, COLORS
from pretraining.world.scenes import Kind, draw_world, vary
from tests.unit.pretraining.world.drawn import SIDE, scenes


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
    # Others may cover an object, and some are half transparent.
    assert seen > 0.93 * total > 30


def test_writing_lies_within_its_box() -> None:
    for scene in scenes("words", 30, scale=(0.1, 0.2)):
        for line in scene.lines:
            assert "".join(character for character, _ in line.characters) == line.text.replace(" ", "")
            middles = np.array([middle for _, middle in line.characters])
            assert (middles >= line.box[:2] - 2).all()
            assert (middles <= line.box[2:] + 2).all()


def test_variation_keeps_positions_and_follows_its_seed() -> None:
    pixels = as_pixels(scenes("objects", 4)).float() / 255
    first, again, other = (vary(pixels, (0, step)) for step in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.corrcoef(torch.stack([first.flatten(), pixels.flatten()]))[0, 1] > 0.8


def test_a_kind_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no scenes of the kind 'word'; there are: objects, crowd, words, document"):
        draw_world(np.random.default_rng(0), SIDE, "word", 2)  # type: ignore[arg-type]
