"""A version that was registered once, for all tests of this room."""

from __future__ import annotations

import mlflow
import pytest

from florence2.adapters.mlflow.registration import register
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.model.base import base_fingerprint, load_base
from florence2.model.checkpoint import Checkpoint
from tests.registration import CONFIG, REPORT, held_out, training
from tests.tracking import tracked_in


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint")
    base = load_base(CONFIG.model)
    base.model.save_pretrained(folder / "model")
    base.processor.save_pretrained(folder / "model")
    return Checkpoint(folder, "full", CONFIG.model.base, None, base_fingerprint(CONFIG.model), 2.0)


@pytest.fixture(scope="session")
def registered(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> RegisteredModel:
    store = tmp_path_factory.mktemp("store")
    with tracked_in(f"sqlite:///{store}/mlflow.db"):
        experiment = mlflow.create_experiment("e", artifact_location=(store / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment):
            return register(checkpoint, REPORT, training(), held_out(), CONFIG)
