"""What a fine-tune would cost, from a few of its steps."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from florence2.config import Configuration
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.storage.cache import cache_folder
from florence2.training import probe
from florence2.training.fitting import fit
from florence2.training.probe import TrainingCost, probe_training
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes")))


def cost_of(scenes: DatasetManifest, **settings: Any) -> TrainingCost:
    """Measure in seconds of the processor, which other work on the machine does not change."""
    config = Configuration(base="builtin:nano", **settings)
    with patch("time.perf_counter", time.process_time):
        return probe_training(scenes.select("train"), scenes.select("valid"), config.model, config.training)


@pytest.mark.parametrize(
    "settings",
    [
        {"strategy": "lora"},
        {"strategy": "full", "gradient_checkpointing": True, "light": 0.1, "box_order": "random"},
        {"strategy": "freeze"},
        {"strategy": "freeze", "feature_cache_gib": 0},
    ],
)
def test_it_measures_each_strategy_and_writes_nothing(
    scenes: DatasetManifest, settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Other test processes write into the cache that they share with this one.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cost = cost_of(scenes, epochs=3, batch_size=4, **settings)
    assert not list(cache_folder("").rglob("*"))
    assert cost.timed.endswith("with micro-batches of 4 of 4 samples")
    assert (cost.parameters["vision"][0] == 0) == (settings["strategy"] == "freeze")
    assert 0 < cost.train_seconds < 60
    assert 0 < cost.valid_seconds < cost.train_seconds
    assert 0.1 < cost.memory_gib < 4


def test_the_steps_are_those_that_a_fine_tune_makes(scenes: DatasetManifest, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"epochs": 2, "batch_size": 3, "gradient_accumulation": 2, "loader_workers": 0}
    config = Configuration(base="builtin:nano", **settings)
    checkpoint = fit(scenes, config.model, config.training, tmp_path / "checkpoint")
    steps = cost_of(scenes, **settings).steps
    assert len(scenes.select("train")) % 6 != 0, "the last step of an epoch is a smaller one"
    assert steps == checkpoint.history[-1]["step"]


def test_the_search_for_the_learning_rate_is_part_of_the_cost(scenes: DatasetManifest) -> None:
    cost = cost_of(scenes, epochs=64, batch_size=2, learning_rate="auto")
    assert cost.search is not None
    assert cost.search.share == pytest.approx(0.25, abs=0.05)
    assert cost.search_seconds == cost.search.share * cost.train_seconds
    fixed = cost_of(scenes, epochs=64, batch_size=2)
    assert (fixed.search, fixed.search_seconds, fixed.learning_rate) == (None, 0, cost.learning_rate)


def test_where_a_batch_takes_long_one_sample_stands_for_it(
    scenes: DatasetManifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = cost_of(scenes, batch_size=8)
    monkeypatch.setattr(probe, "_SECONDS", 0.0)
    one = cost_of(scenes, batch_size=8)
    assert one.timed == "1 step with micro-batches of 1 of 8 samples"
    assert one.train_seconds > whole.train_seconds / 2
    # The peak of this process is one of its past; what is added for the other samples is not.
    twice = cost_of(scenes, batch_size=15)
    per_sample = (twice.memory_gib - one.memory_gib) / 7
    assert 0.001 < per_sample < 0.1


def test_an_epoch_may_be_one_step_and_a_batch_one_sample(scenes: DatasetManifest) -> None:
    assert cost_of(scenes, epochs=1, batch_size=16).steps == 1
    assert cost_of(scenes, epochs=1, batch_size=1).steps == 16
