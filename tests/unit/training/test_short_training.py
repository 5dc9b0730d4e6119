"""Short trainings of one base do not change each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.config import Configuration
from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import OutOfMemoryError
from florence2.model.base import base_fingerprint
from florence2.training.fitting import fit
from florence2.training.job import Job
from florence2.training.monitoring import Monitoring
from florence2.training.run_state import RunStorage
from florence2.training.short_training import ShortTrainings
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def splits(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=5, valid=2, test=2))


def job_of(splits: DatasetManifest, folder: Path, **settings: Any) -> Job:
    config = Configuration(base="builtin:nano", epochs=1, batch_size=4, rank=4, dropout=0.1, **settings)
    return Job(
        train=splits.select("train"),
        valid=splits.select("valid"),
        model=config.model,
        fingerprint=base_fingerprint(config.model),
        training=config.training,
        storage=RunStorage(folder),
        monitoring=Monitoring(),
        processes=1,
    )


@pytest.mark.parametrize("settings", [{}, {"strategy": "full", "flip": 0.5}, {"strategy": "freeze"}])
def test_each_starts_from_the_same_weights_and_is_a_training(
    splits: DatasetManifest, tmp_path: Path, settings: dict[str, Any]
) -> None:
    """With as many steps as a whole training it ends with the same loss, equal to the bit, also after others."""
    job = job_of(splits, tmp_path / "state", **settings)
    trainings = ShortTrainings(job, 4)
    base = trainings.loss_of(1e-3, 0)
    first = trainings.loss_of(1e-3, 3)
    assert first < base
    assert trainings.loss_of(2e-3, 2) != first
    assert trainings.loss_of(1e-3, 3) == first
    assert trainings.loss_of(1e-3, 0) == base
    whole = fit(splits, job.model, job.training.model_copy(update={"learning_rate": 1e-3}), tmp_path / "whole")
    assert whole.history[-1]["eval_loss"] == first
    assert not list((tmp_path / "state").glob("*"))


def test_a_micro_batch_that_does_not_fit_is_reported(
    splits: DatasetManifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainings = ShortTrainings(job_of(splits, tmp_path), 4)

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate")

    monkeypatch.setattr("florence2.training.trainer.FineTuner.training_step", fail)
    with pytest.raises(OutOfMemoryError, match="a micro-batch of 4 samples"):
        trainings.loss_of(1e-3, 1)
