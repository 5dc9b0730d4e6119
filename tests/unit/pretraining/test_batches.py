"""Batches of pretraining: prompts of the processor, and the same scenes for the same seed and step."""

from __future__ import annotations

import pytest
import torch

from pretraining.batches import Recipe, build_batches, encode_prompts
from pretraining.evaluate import held_out_scenes
from pretraining.sizes import SIZES, Size
from pretraining.vocabulary import build_processor


@pytest.fixture(scope="module", params=sorted(SIZES))
def size(request: pytest.FixtureRequest) -> Size:
    return SIZES[request.param]


def test_prompts_are_those_of_the_processor() -> None:
    processor = build_processor(64, 17)
    prefixes = ["<OD>", "<VQA>how many objects are there?", "<REGION_TO_CATEGORY><loc_1><loc_2><loc_3><loc_4>"]
    images = [scene.image for scene in held_out_scenes(3, seed=9)]
    expected = processor(text=prefixes, images=images, padding=True, return_tensors="pt")
    encoded = encode_prompts(processor, prefixes)
    assert torch.equal(encoded["input_ids"], expected["input_ids"])
    assert torch.equal(encoded["attention_mask"], expected["attention_mask"])


def test_pretraining_data_follows_seed_and_step(size: Size) -> None:
    processor = build_processor(size.side, size.image_tokens, size.words)
    first, again, later, other = (
        next(build_batches(Recipe(size.name, steps=10, batch_size=3, seed=seed), step, processor))
        for seed, step in ((0, 4), (0, 4), (0, 5), (1, 4))
    )
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.long["labels"], again.long["labels"])
    assert not torch.equal(first.pixels, later.pixels)
    assert not torch.equal(first.pixels, other.pixels)
