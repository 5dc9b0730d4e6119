"""The built-in bases: small, native, useful without fine-tuning; and the trainer that made them."""

from __future__ import annotations

import json
import logging
import warnings
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoProcessor, Florence2ForConditionalGeneration, Florence2Processor

from florence2.codec.locations import BINS, location_token
from florence2.codec.tasks import TASKS
from florence2.config import ModelConfig
from florence2.model.base import BUILTIN_MODELS, load_base
from florence2.model.florence import Florence2
from pretraining.batches import Recipe, batches, build_batches, encode_prompts
from pretraining.evaluate import held_out_scenes, measure_answers, measure_detection
from pretraining.sizes import SIZES, Size
from pretraining.trainer import Trainer, run, steps_for
from pretraining.vocabulary import build_processor

MAX_BYTES = 8 * 2**20


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module", params=sorted(SIZES))
def size(request: pytest.FixtureRequest) -> Size:
    return SIZES[request.param]


@pytest.fixture(scope="module")
def built(size: Size) -> Florence2:
    return load_base(ModelConfig(base=f"builtin:{size.name}"))


def test_the_shipped_folder_is_small_and_pickles_nothing(size: Size) -> None:
    files = {file.name: file.stat().st_size for file in BUILTIN_MODELS[f"builtin:{size.name}"].iterdir()}
    assert sum(files.values()) <= MAX_BYTES
    assert {"config.json", "generation_config.json", "model.safetensors", "README.md"} <= set(files)
    assert not [name for name in files if name.endswith((".bin", ".pt", ".pkl", ".py"))]


def test_plain_transformers_loads_it_without_a_word(size: Size, caplog: pytest.LogCaptureFixture) -> None:
    folder = BUILTIN_MODELS[f"builtin:{size.name}"]
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        model = Florence2ForConditionalGeneration.from_pretrained(folder)
        processor = AutoProcessor.from_pretrained(folder)
    assert type(model) is Florence2ForConditionalGeneration
    assert type(processor) is Florence2Processor
    assert not caplog.records
    assert all(torch.isfinite(parameter).all() for parameter in model.parameters())


def test_the_tokenizer_knows_all_locations_and_writes_any_text(size: Size, built: Florence2) -> None:
    tokenizer = built.tokenizer
    ids = tokenizer.convert_tokens_to_ids([location_token(index) for index in range(BINS)])
    assert ids == list(range(ids[0], ids[0] + BINS))
    rows: Any = built.model.get_input_embeddings().weight
    assert rows.shape == (len(tokenizer), size.width)
    for text in ("king of hearts", "Zürich t-shirt 東京 №5", "", "<VQA>how many?", "red star<loc_0><loc_999>"):
        assert tokenizer.decode(tokenizer(text)["input_ids"][1:-1], skip_special_tokens=False) == text
    assert all(len(tokenizer(f" {name}")["input_ids"]) == 3 for name in ("king", "hearts", "cards", "red"))


def test_the_tokenizer_is_that_of_the_trainer(size: Size, built: Florence2) -> None:
    assert (
        build_processor(size.side, size.image_tokens, size.words).tokenizer.get_vocab() == built.tokenizer.get_vocab()
    )


def test_every_task_gets_a_prompt(size: Size, built: Florence2) -> None:
    scene = held_out_scenes(1, seed=9)[0]
    for task in TASKS.values():
        prefix = task.token + ("red star" if task.takes_input else "")
        inputs = built.processor(text=[prefix], images=[scene.image], return_tensors="pt")
        assert inputs["pixel_values"].shape == (1, 3, size.side, size.side)
        assert (inputs["input_ids"] == built.model.config.image_token_id).sum() == size.image_tokens


def test_finds_and_names_objects_without_fine_tuning(nano: Florence2) -> None:
    scores = measure_detection(nano, held_out_scenes(120, seed=7))
    assert scores["map50"] > 0.8
    assert scores["map"] > 0.5


def test_answers_questions_without_fine_tuning(nano: Florence2) -> None:
    scores = measure_answers(nano, held_out_scenes(120, seed=7), "<VQA>", seed=7)
    assert scores["accuracy"] > 0.8 > scores["majority"]


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


def test_pretraining_resumes_as_if_it_had_never_stopped(size: Size, tmp_path: Path) -> None:
    # Stopped between two visits of the same scenes.
    recipe = Recipe(size.name, steps=4, batch_size=1, warmup=2, visits=3)
    straight = Trainer(recipe)
    losses = [straight.advance(batch) for batch in batches(recipe, 0)]
    assert len(losses) == 4
    stopped = Trainer(recipe)
    assert [stopped.advance(batch) for batch in islice(batches(recipe, 0), 2)] == losses[:2]
    stopped.save(tmp_path / "state.safetensors")
    folder = run(recipe, tmp_path)
    resumed = Florence2ForConditionalGeneration.from_pretrained(folder, dtype=torch.bfloat16)
    for ours, theirs in zip(resumed.parameters(), straight.averaged.parameters(), strict=True):
        assert torch.equal(ours, theirs.to(torch.bfloat16))
    assert json.loads((tmp_path / "losses.jsonl").read_text().splitlines()[-1])["step"] == 4


def test_losses_after_the_last_save_are_written_once(tmp_path: Path) -> None:
    recipe = Recipe(steps=2, batch_size=1)
    stopped = Trainer(recipe)
    stopped.advance(next(batches(recipe, 0)))
    stopped.save(tmp_path / "state.safetensors")
    (tmp_path / "losses.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st')
    run(recipe, tmp_path)
    assert [json.loads(line)["step"] for line in (tmp_path / "losses.jsonl").read_text().splitlines()] == [1, 2]


@pytest.mark.parametrize("other", [Recipe(steps=5, batch_size=1), Recipe("small", steps=4, batch_size=1)])
def test_a_state_of_another_recipe_is_refused(tmp_path: Path, other: Recipe) -> None:
    Trainer(Recipe(steps=4, batch_size=1)).save(tmp_path / "state.safetensors")
    with pytest.raises(ValueError, match="another --output"):
        run(other, tmp_path)


def test_as_many_steps_are_planned_as_fit() -> None:
    assert steps_for(Recipe(batch_size=1), 1.0, "cpu", workers=0) > 10 * steps_for(
        Recipe(batch_size=1), 0.01, "cpu", workers=0
    )
