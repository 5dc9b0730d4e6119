"""Settings that are given to steps on other machines: what they name is there, and no secret is in them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest

from florence2.config import DatasetConfig, ImagesConfig, ModelConfig, SplitConfig, TrainingConfig
from florence2.datasets.formats import read_dataset
from florence2.datasets.location import locate
from florence2.datasets.splits.frozen_test import freeze_test, load_frozen
from florence2.errors import DatasetError, ModelError
from florence2.model.base import BUILTIN_MODELS, base_fingerprint
from florence2.model.checkpoint import Checkpoint
from florence2.model.named import named_fingerprint
from florence2.recipes.recipe import Recipe, read_recipe
from florence2.storage.packed import is_packed
from pipelines import portable
from steps import artifact_store
from tests.builders import write_dataset

STORE = "memory://bucket/florence2"


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A store that is not of this machine."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    monkeypatch.setattr(portable, "remote_folder", lambda: STORE)
    for module in (portable, artifact_store):
        monkeypatch.setattr(module, "file_system", lambda address: memory)
    yield memory
    memory.store.clear()


def test_a_folder_an_archive_and_its_address_are_one_data_set(tmp_path: Path) -> None:
    folder = write_dataset(tmp_path / "data")
    archive = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    of_folder = portable.portable_dataset(DatasetConfig(source=str(folder), verify=True))
    of_archive = portable.portable_dataset(DatasetConfig(source=archive))
    assert is_packed(of_folder.source)
    assert of_folder == of_archive == portable.portable_dataset(of_folder)
    assert of_folder.verify is False
    assert portable.content_of(of_folder.source) in of_folder.source


def test_what_any_machine_can_read_stays_as_it_is(store: Any) -> None:
    dataset = DatasetConfig(source="builtin:cards", reference="s3://bucket/cards")
    assert portable.portable_dataset(dataset) == dataset
    assert portable.portable_model(ModelConfig(base="builtin:nano")) == ModelConfig(base="builtin:nano")
    assert portable.portable_split(SplitConfig()) == SplitConfig()
    assert store.find("/bucket") == []


def test_an_address_with_a_secret_is_given_to_no_step(tmp_path: Path, store: Any) -> None:
    store.put(str(write_dataset(tmp_path / "data")), "/me:hunter2@cards", recursive=True)
    dataset = portable.portable_dataset(DatasetConfig(source="memory://me:hunter2@cards"))
    assert is_packed(dataset.source)
    assert "hunter2" not in dataset.source


def test_the_content_of_a_uri_is_known_without_fetching_it(tmp_path: Path, store: Any) -> None:
    store.put(str(write_dataset(tmp_path / "data")), "/cards", recursive=True)
    before = portable.content_of("memory://cards")
    assert portable.content_of("memory://cards") == before
    assert not (tmp_path / "cache/florence2/mirrors").exists()
    store.pipe_file("/cards/data/train/more.txt", b"x")
    assert portable.content_of("memory://cards") != before


def test_a_base_is_the_same_wherever_it_lies_and_whatever_else_is_there(tmp_path: Path) -> None:
    first, second = (Path(shutil.copytree(BUILTIN_MODELS["builtin:nano"], tmp_path / name)) for name in "ab")
    (second / "README.md").write_text("another text")
    (second / "checkpoint-1").mkdir()
    (second / "checkpoint-1/optimizer.pt").write_bytes(b"large")
    settings = [portable.portable_model(ModelConfig(base=str(folder))) for folder in (first, second)]
    assert settings[0] == settings[1]
    assert is_packed(settings[0].base)
    assert base_fingerprint(settings[0]) == base_fingerprint(ModelConfig(base=str(first)))


def test_a_hub_id_is_pinned_to_its_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(portable, "base_fingerprint", lambda model: "c0ffee")
    assert portable.portable_model(ModelConfig(base="a/b")) == ModelConfig(base="a/b", revision="c0ffee")


def test_a_frozen_test_is_sent_by_content(tmp_path: Path) -> None:
    frozen = freeze_test(read_dataset(write_dataset(tmp_path / "data")))
    for name in ("a.json", "b.json"):
        frozen.save(tmp_path / name)
    settings = [portable.portable_split(SplitConfig(frozen_test=str(tmp_path / name))) for name in ("a.json", "b.json")]
    assert settings[0] == settings[1]
    assert load_frozen(settings[0]) == frozen
    with pytest.raises(DatasetError, match="not a frozen test split"):
        portable.portable_split(SplitConfig(frozen_test=str(tmp_path / "c.json")))


def test_a_checkpoint_is_sent_but_not_without_its_base(tmp_path: Path) -> None:
    def checkpoint(name: str, base: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        card = Checkpoint(folder, "lora", base, None, "0", 1.0)
        card.write_card()
        return str(folder)

    sent = portable.portable_named(ModelConfig(base=checkpoint("good", "builtin:nano")))
    assert is_packed(sent.base)
    assert named_fingerprint(sent.base) == named_fingerprint(str(tmp_path / "good"))
    shutil.copytree(BUILTIN_MODELS["builtin:nano"], tmp_path / "base")
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    settings = {"peft_type": "LORA", "base_model_name_or_path": str(tmp_path / "base")}
    (foreign / "adapter_config.json").write_text(json.dumps(settings))
    with pytest.raises(ModelError, match=r"foreign: is an adapter of .*base, a folder .*`florence2 import .*foreign"):
        portable.portable_model(ModelConfig(base=str(foreign)))
    with pytest.raises(ModelError, match=r"is an adapter of .*base, a folder that the machines of this stack do not"):
        portable.portable_named(ModelConfig(base=checkpoint("bad", str(tmp_path / "base"))))


def test_images_are_sent_as_well(tmp_path: Path) -> None:
    images = portable.portable_images(ImagesConfig(folder=str(write_dataset(tmp_path / "data") / "train")))
    assert sorted(file.suffix for file in locate(images.folder).iterdir()) == sorted(
        file.suffix for file in (tmp_path / "data/train").iterdir()
    )


def test_a_store_of_this_machine_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: Any) -> None:
    monkeypatch.setattr(portable, "remote_folder", lambda: None)
    dataset = DatasetConfig(source=str(write_dataset(tmp_path / "data")), verify=True)
    assert portable.portable_dataset(dataset) == dataset
    assert portable.portable_model(ModelConfig(base=str(tmp_path))) == ModelConfig(base=str(tmp_path))
    assert store.find("/bucket") == []


def test_the_recipe_of_the_user_travels_as_its_content(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("title: mine\nfamilies: {small: {samples: 160, training: {light: 0.7}}}\n")
    training, content = portable.portable_recipe(TrainingConfig(recipe=str(file), epochs=3))
    assert (training.recipe, training.epochs, training.model_fields_set) == ("mine", 3, {"recipe", "epochs"})
    assert Recipe.model_validate_json(content) == read_recipe(str(file))
    named = TrainingConfig(recipe="photographs")
    assert portable.portable_recipe(named) == (named, "")
