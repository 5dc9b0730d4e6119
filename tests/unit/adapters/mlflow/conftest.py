"""A version that was registered once, for all tests of this room, and processes that have imported MLflow."""

from __future__ import annotations

import multiprocessing
import shutil
from multiprocessing.context import ForkServerContext
from pathlib import Path

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
def registered(checkpoint: Checkpoint, empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> RegisteredModel:
    store = tmp_path_factory.mktemp("store")
    with tracked_in(f"sqlite:///{shutil.copy(empty_store, store)}"):
        experiment = mlflow.create_experiment("e", artifact_location=(store / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment):
            return register(checkpoint, REPORT, training(), held_out(), CONFIG)


@pytest.fixture(scope="session")
def processes() -> ForkServerContext:
    """Processes that have imported the registry before they start: MLflow takes five seconds."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        [
            "florence2.adapters.mlflow.registry",
            "mlflow.store.model_registry.sqlalchemy_store",
            "mlflow.store.tracking.sqlalchemy_store",
            "pytest",
        ]
    )
    return context
