"""The sides of the benchmark of the training's speed do what their names say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks.base_shape import write_photographs
from benchmarks.peer_loops import PEERS, bare_steps, engine_batches, peer_epochs
from benchmarks.training_speed import Side, measure
from florence2.config import ModelConfig, TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.processing import IGNORED

NANO = ModelConfig(base="builtin:nano")
TRAINING = TrainingConfig(strategy="lora", epochs=1, batch_size=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photographs(tmp_path_factory.mktemp("photographs") / "set", train=4, valid=1, boxes=2)


@pytest.fixture(scope="module")
def train(folder: Path) -> DatasetManifest:
    manifest = read_dataset(folder).select("train")
    # One answer is shorter than the others, so that there is padding.
    manifest.table.loc[manifest.table.index[0], "suffix"] = "cell<loc_1><loc_2><loc_30><loc_40>"
    return manifest


def seen_by(florence2: Florence2) -> list[dict[str, Any]]:
    """Return the list to which the model adds every batch that it is given."""
    batches: list[dict[str, Any]] = []
    listen: Callable[..., None] = lambda module, args, options: batches.append(options)  # noqa: E731
    florence2.model.register_forward_pre_hook(listen, with_kwargs=True)
    return batches


@pytest.mark.parametrize("name", PEERS)
def test_maestro_alone_learns_padding_and_misses_the_outputs_of_attention(name: str, train: DatasetManifest) -> None:
    florence2 = load_base(NANO)
    batches = seen_by(florence2)
    ((model, steps),) = list(peer_epochs(PEERS[name], florence2, train, TRAINING, rate=1e-3))
    assert len(steps) == len(batches) == 2
    assert all(step.cpu > 0 and step.wall > 0 for step in steps)
    labels = torch.cat([batch["labels"].flatten() for batch in batches])
    padding = florence2.tokenizer.pad_token_id
    assert bool((labels == padding).any()) is (name == "maestro")
    assert bool((labels == IGNORED).any()) is (name == "plain")
    assert all((batch.get("attention_mask") is None) is (name == "maestro") for batch in batches)
    trained = {parameter for parameter, values in model.named_parameters() if values.requires_grad}
    assert any("q_proj" in parameter for parameter in trained)
    assert any("out_proj" in parameter for parameter in trained) is (name == "plain")


def test_the_floor_trains_on_the_batches_that_the_processor_would_make(train: DatasetManifest) -> None:
    florence2 = load_base(NANO)
    (batch, _) = engine_batches(florence2, train, batch_size=2)
    embedding: Any = florence2.model.get_input_embeddings()
    weights = embedding.weight
    before = weights.clone()
    seen = seen_by(florence2)
    assert len(bare_steps(florence2.model, [batch], rate=1e-3)) == 1
    assert seen[0].keys() == {"pixel_values", "input_ids", "attention_mask", "labels"}
    assert not torch.equal(before, weights)


def test_the_engine_is_timed_step_by_step(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # ``measure`` sets it; this sets it back
    result = measure(Side("engine", "engine", TRAINING), str(folder), NANO, evaluated=False)
    assert [len(epoch) for epoch in result.epochs] == [2]
    assert result.peak_gib > 0
    assert result.loss is None
