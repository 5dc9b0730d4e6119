"""What only a CUDA GPU shows: the same answers as on the CPU, training in bfloat16, pretraining by replayed steps."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
import torch

import florence2
from florence2.builtin.shapes import draw_shapes
from florence2.config import Configuration
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.splits.assignment import split_dataset
from florence2.evaluation.epoch_evaluator import EpochEvaluator
from florence2.training.fitting import fit
from florence2.training.monitoring import Monitoring
from pretraining.batches import Recipe, batches
from pretraining.sizes import SIZES
from pretraining.trainer import Trainer

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="it needs a CUDA GPU, and torch sees none"),
]


@pytest.fixture(scope="module")
def cards() -> DatasetManifest:
    config = Configuration(dataset="builtin:cards")
    rows = split_dataset(ingest(config.dataset), config.split)
    return rows.drop(rows.table.index[rows.table["task"] != "<OD>"].tolist())


def test_a_gpu_answers_as_the_cpu_does() -> None:
    rng = np.random.default_rng(5)
    images = [draw_shapes(rng, 64, 1 + index % 3).image for index in range(48)]
    on_gpu, on_cpu = (florence2.load("builtin:nano", device=device) for device in ("cuda", "cpu"))
    assert on_gpu.device == "cuda:0"
    for prefix in ("<OD>", "<VQA>how many objects are there?"):
        pairs = zip(on_gpu.predict(images, prefix), on_cpu.predict(images, prefix), strict=True)
        same = sum(one.text == other.text for one, other in pairs)
        # Two locations may be equally likely but for the last digits, which are another device's own.
        assert same >= 46, prefix


@pytest.mark.parametrize("strategy", ["lora", "full", "freeze"])
def test_a_fine_tune_in_bfloat16_learns(
    cards: DatasetManifest, tmp_path: Path, strategy: Literal["lora", "full", "freeze"]
) -> None:
    config = Configuration(dataset="builtin:cards", base="builtin:nano", strategy=strategy, epochs=4, preview=0)
    evaluator = EpochEvaluator.of(cards.select("valid"), config.training, config.evaluation)
    torch.cuda.reset_peak_memory_stats()
    checkpoint = fit(
        cards, config.model, config.training, tmp_path / "checkpoint", monitoring=Monitoring(evaluator=evaluator)
    )
    assert torch.cuda.max_memory_allocated() > 2**20
    losses = [epoch["eval_loss"] for epoch in checkpoint.history if "eval_loss" in epoch]
    assert losses[-1] < losses[0]
    kept = checkpoint.load().model
    assert all(parameter.dtype == torch.float32 for parameter in kept.parameters())


@pytest.mark.parametrize("size", sorted(SIZES))
def test_pretraining_learns_and_goes_on_from_its_state(size: str, tmp_path: Path) -> None:
    recipe = Recipe(size, steps=12, batch_size=4, warmup=2, averaging=0.5)
    drawn = list(batches(recipe, 0))
    trainer = Trainer(recipe, "cuda")
    losses = [{name: float(loss) for name, loss in trainer.advance(batch).items()} for batch in drawn[:10]]
    assert sum(losses[-1].values()) < sum(losses[0].values())
    trainer.save(tmp_path / "state.safetensors")
    resumed = Trainer(recipe, "cuda")
    resumed.load(tmp_path / "state.safetensors")
    assert resumed.step == 10
    for batch in drawn[10:]:
        expected, found = trainer.advance(batch), resumed.advance(batch)
        assert all(torch.isclose(found[name], loss, rtol=0.02) for name, loss in expected.items())
