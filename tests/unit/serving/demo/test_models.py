"""Which models the demo page shows of a registry."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import mlflow
import pytest

from florence2.adapters.mlflow.model_uri import ModelAddress
from florence2.adapters.mlflow.registry import Registry
from florence2.errors import RegistryError
from florence2.model.base import BUILTIN_MODELS
from florence2.serving.demo.models import named_models, registered_models
from tests.registries import NAME


@pytest.fixture
def models(registry: Registry, tmp_path: Path) -> Registry:
    """Versions that are real models; the third is challenger."""
    for number in range(3):
        shutil.copytree(
            BUILTIN_MODELS["builtin:nano"], tmp_path / f"source-{number}/artifacts/model", dirs_exist_ok=True
        )
    mlflow.MlflowClient(registry.tracking_uri).set_registered_model_alias(NAME, "challenger", "3")
    return registry


def crown(registry: Registry, version: str) -> None:
    mlflow.MlflowClient(registry.tracking_uri).set_registered_model_alias(NAME, "champion", version)


def test_champion_and_challenger_stand_side_by_side(models: Registry) -> None:
    crown(models, "1")
    assert list(registered_models(NAME, models.tracking_uri)) == ["champion, version 1", "challenger, version 3"]
    crown(models, "3")
    assert list(registered_models(NAME, models.tracking_uri)) == ["champion, version 3"]


def test_without_a_champion_the_builtin_stands_in_unless_a_store_was_named(
    models: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", models.tracking_uri)
    with caplog.at_level("INFO"):
        assert list(registered_models(NAME)) == ["builtin:nano"]
    assert "has no champion in" in caplog.text
    assert f"name a model by --model, such as models:/{NAME}@challenger; showing builtin:nano" in caplog.text
    with pytest.raises(RegistryError, match="has no champion in"):
        registered_models(NAME, models.tracking_uri)


def test_where_the_name_is_that_of_no_model_those_that_are_registered_are_named(
    models: Registry, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", models.tracking_uri)
    with caplog.at_level("INFO"):
        assert list(registered_models("florence2-finetune")) == ["builtin:nano"]
    message = f"no model is registered as 'florence2-finetune'; there is {NAME}: name it"
    assert f"{message}; showing builtin:nano" in caplog.text
    with pytest.raises(RegistryError, match=message):
        registered_models("florence2-finetune", models.tracking_uri)


def test_models_are_named_as_people_type_them(models: Registry, tmp_path: Path) -> None:
    same = str(BUILTIN_MODELS["builtin:nano"])
    found = named_models(["builtin:nano", f"models:/{NAME}@challenger", same, same], models.tracking_uri)
    assert list(found) == ["builtin:nano", f"{NAME}@challenger", "builtin/nano", "builtin/nano'"]


def test_loading_again_and_again_leaves_no_files(
    models: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    address = ModelAddress.of(f"models:/{NAME}@challenger", models.tracking_uri)
    address.load(address.version())
    assert not list((tmp_path / "temporary").iterdir())
    shutil.rmtree(tmp_path / "source-2")
    with pytest.raises(RegistryError, match="artifacts/model cannot be read"):
        address.load("3")
    assert not list((tmp_path / "temporary").iterdir())
