"""The built-in bases are small, native, and useful without fine-tuning."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import pytest
import torch
from transformers import AutoProcessor, Florence2ForConditionalGeneration, Florence2Processor

from florence2.codec.locations import BINS, location_token
from florence2.codec.tasks import TASKS
from florence2.config import ModelConfig
from florence2.model.base import BUILTIN_MODELS, load_base
from florence2.model.florence import Florence2
from pretraining.evaluate import held_out_scenes, measure_answers, measure_detection
from pretraining.sizes import SIZES, Size
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


def test_plain_transformers_loads_it_without_a_warning(size: Size, caplog: pytest.LogCaptureFixture) -> None:
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
