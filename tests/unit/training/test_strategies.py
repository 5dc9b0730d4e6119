"""What each strategy makes trainable: exactly that, counted for each part."""

from __future__ import annotations

import re

import pytest

from florence2.config import Configuration, LoraConfig, ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.model.base import load_base
from florence2.model.florence import LORA_TARGETS, Florence2
from florence2.model.lora import add_lora
from florence2.training.job import new_word_ids
from florence2.training.strategies import prepare_strategy, trainable_parameters
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes")))


@pytest.fixture
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def test_lora_trains_only_adapters_and_the_rows_of_new_words(splits: DatasetManifest, nano: Florence2) -> None:
    words = new_word_ids(splits.select("train"), nano)
    adapted = add_lora(nano, LoraConfig(rank=4), words)
    trainable = {name for name, parameter in adapted.model.named_parameters() if parameter.requires_grad}
    assert trainable
    assert all("lora_" in name or "trainable_tokens" in name for name in trainable)
    counts = trainable_parameters(adapted.model)
    assert all(0 < counts[part][0] < counts[part][1] for part in ("vision", "projector", "language"))


@pytest.mark.parametrize("strategy", ["lora", "full", "freeze"])
def test_the_parts_are_counted_as_they_are(strategy: str, nano: Florence2) -> None:
    sizes = trainable_parameters(nano.model)
    training = Configuration(training={"strategy": strategy}, rank=4).training
    counts = trainable_parameters(prepare_strategy(nano, training, []).model)
    if strategy == "lora":
        layers = dict(load_base(ModelConfig(base="builtin:nano")).model.named_modules())
        fits = [module for name, module in layers.items() if re.fullmatch(LORA_TARGETS["all"], name)]
        added = sum(4 * (layer.in_features + layer.out_features) for layer in fits)
        assert sum(trainable for trainable, _ in counts.values()) == added
        assert sum(total for _, total in counts.values()) == sum(total for _, total in sizes.values()) + added
    else:
        assert {part: total for part, (_, total) in counts.items()} == {p: total for p, (_, total) in sizes.items()}
        assert all(counts[part][0] == counts[part][1] for part in ("projector", "language"))
        assert counts["vision"][0] == (0 if strategy == "freeze" else counts["vision"][1])


def test_only_the_language_model_may_be_adapted(nano: Florence2) -> None:
    counts = trainable_parameters(add_lora(nano, LoraConfig(rank=4, targets="language"), []).model)
    assert counts["vision"][0] == counts["projector"][0] == 0 < counts["language"][0]
