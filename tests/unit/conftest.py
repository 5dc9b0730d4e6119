"""A registry to try things on: making its tables takes seconds, copying the file none."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.registries import NAME

if TYPE_CHECKING:
    from florence2.adapters.mlflow.registry import Registry


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a model."""
    import mlflow  # takes seconds: only tests of registries pay for it

    file = tmp_path_factory.mktemp("empty") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{file}").search_registered_models()
    return file


@pytest.fixture
def registry(empty_store: Path, tmp_path: Path) -> Registry:
    """A model with three versions, none of them champion."""
    import mlflow

    from florence2.adapters.mlflow.registry import Registry

    uri = f"sqlite:///{shutil.copy(empty_store, tmp_path)}"
    client = mlflow.MlflowClient(uri)
    client.create_registered_model(NAME)
    for number in range(3):
        source = tmp_path / f"source-{number}"
        (source / "artifacts" / "model").mkdir(parents=True)
        (source / "artifacts" / "model" / "model.safetensors").write_bytes(b"weights")
        client.create_model_version(NAME, source.as_uri())
    return Registry(uri, NAME)
