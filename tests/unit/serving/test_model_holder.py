"""Following an alias: the switch, who is still answered by the old version, and what happens where loading fails."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import mlflow
import pytest

from florence2.adapters.mlflow.model_uri import ModelAddress
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.model_lookup import NamedSource, model_source
from florence2.codec import TASKS, TaskTable
from florence2.config import ModelConfig
from florence2.errors import ModelError, RegistryError
from florence2.model.base import load_base
from florence2.serving.model_holder import ModelHolder


class Source:
    """A source whose version the test sets."""

    name, moves = "cards", True

    def __init__(self) -> None:
        self.points_to: str | Exception = "1"
        self.broken: set[str] = set()
        self.loaded: list[str] = []

    def version(self) -> str:
        if isinstance(self.points_to, Exception):
            raise self.points_to
        return self.points_to

    def load(self, version: str | None = None) -> Any:
        assert version is not None
        self.loaded.append(version)
        if version in self.broken:
            raise ModelError(f"weights of {version} are missing")
        return f"weights {version}"

    def tasks(self) -> TaskTable:
        return TASKS


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def closed() -> list[str]:
    return []


@pytest.fixture
def holder(source: Source, closed: list[str]) -> ModelHolder[str]:
    return ModelHolder(source, lambda model, version: f"{model} as {version}", closed.append)


def test_nothing_is_loaded_while_the_alias_stays(holder: ModelHolder[str], source: Source) -> None:
    assert not holder.refresh()
    assert source.loaded == ["1"]


def test_a_moved_alias_loads_the_new_version_and_closes_the_old_one(
    holder: ModelHolder[str], source: Source, closed: list[str]
) -> None:
    source.points_to = "2"
    assert holder.refresh()
    with holder.borrowed() as model:
        assert model == "weights 2 as 2"
    assert closed == ["weights 1 as 1"]


def test_a_request_before_the_switch_keeps_the_old_version(
    holder: ModelHolder[str], source: Source, closed: list[str]
) -> None:
    with holder.borrowed() as first, holder.borrowed():
        source.points_to = "2"
        assert holder.refresh()
        with holder.borrowed() as second:
            assert (first, second) == ("weights 1 as 1", "weights 2 as 2")
        assert closed == []
    assert closed == ["weights 1 as 1"]


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_and_says_so_once(
    holder: ModelHolder[str], source: Source, closed: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    source.points_to = "2"
    source.broken = {"2"}
    with caplog.at_level(logging.WARNING):
        assert not holder.refresh()
        holder._again = 0.0  # as if the pause had passed
        assert not holder.refresh()
    assert holder.problem == "version 2 cannot be loaded: weights of 2 are missing; version 1 still answers"
    assert len(caplog.records) == 1
    with holder.borrowed() as model:
        assert model == "weights 1 as 1"
    source.broken, holder._again = set(), 0.0
    assert holder.refresh()
    assert holder.problem is None
    assert closed == ["weights 1 as 1"]


def test_a_broken_version_is_not_tried_at_every_refresh(holder: ModelHolder[str], source: Source) -> None:
    source.points_to = "2"
    source.broken = {"2"}
    for _ in range(5):
        holder.refresh()
    assert source.loaded == ["1", "2"]


def test_a_registry_that_does_not_answer_leaves_the_version(holder: ModelHolder[str], source: Source) -> None:
    source.points_to = RegistryError("no connection to http://me:secret@host")
    assert not holder.refresh()
    problem = "the version of the alias is unknown: no connection to http://***@host; version 1 still answers"
    assert holder.problem == problem  # which clients may read
    source.points_to = "1"
    assert not holder.refresh()
    assert holder.problem is None


def test_it_follows_in_a_thread(holder: ModelHolder[str], source: Source) -> None:
    switched = threading.Event()
    holder._prepare = lambda model, version: switched.set() or f"{model} as {version}"  # type: ignore[func-returns-value]
    source.points_to = "2"
    holder.follow(0.01)
    assert switched.wait(10)
    holder.close()
    with holder.borrowed() as model:
        assert model.startswith("weights")


# --- where models come from ----------------------------------------------------------------------------------------


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    client.create_registered_model("cards")
    nano = load_base(ModelConfig(base="builtin:nano"))
    for number in range(2):
        folder = tmp_path / f"source-{number}" / "artifacts" / "model"
        nano.model.save_pretrained(folder)
        nano.processor.save_pretrained(folder)
        client.create_model_version("cards", folder.parents[1].as_uri())
    client.set_registered_model_alias("cards", "champion", "1")
    return Registry(uri, "cards")


def test_an_alias_is_followed_and_its_version_loads(registry: Registry) -> None:
    source = model_source(ModelConfig(base="models:/cards@champion"), registry.tracking_uri)
    assert (source.name, source.moves, source.version()) == ("cards", True, "1")
    assert source.load("1").max_tokens > 0
    mlflow.MlflowClient(registry.tracking_uri).set_registered_model_alias("cards", "champion", "2")
    assert source.version() == "2"
    number = model_source(ModelConfig(base="models:/cards/2"), registry.tracking_uri)
    assert (number.moves, number.version()) == (False, "2")
    for wrong, message in (("models:/cards@best", "no alias 'best'; there are champion"), ("models:/cards/7", "'7'")):
        with pytest.raises(RegistryError, match=message):
            model_source(ModelConfig(base=wrong), registry.tracking_uri).version()


def test_other_names_are_those_of_prediction() -> None:
    source = model_source(ModelConfig(base="builtin:nano"))
    assert isinstance(source, NamedSource)
    assert (source.name, source.moves, len(source.version())) == ("builtin:nano", False, 12)
    with pytest.raises(ModelError, match="models:/NAME@ALIAS or models:/NAME/VERSION"):
        model_source(ModelConfig(base="models:/cards"))
    assert isinstance(model_source(ModelConfig(base="models:/a/1"), "sqlite:///x.db"), ModelAddress)
