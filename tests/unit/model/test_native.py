"""A model in Microsoft's layout is converted once, by its content, from a folder or from the hub."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import pytest
from safetensors.torch import save_file

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import BUILTIN_MODELS, base_fingerprint, load_base
from florence2.model.family import family_of
from florence2.model.native import native_file, native_source
from florence2.storage.cache import cache_folder
from tests.published import published_tensors, write_published_model

COMMIT = "c" * 40


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return cache_folder("converted")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a model in the hub's local cache; the hub itself cannot be reached."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    repository = tmp_path / "hub" / "models--someone--Florence-2-cards"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    return repository / "snapshots" / COMMIT


def test_a_native_model_is_itself() -> None:
    nano = str(BUILTIN_MODELS["builtin:nano"])
    assert native_source(nano, None) == nano
    assert native_file(nano, None, "config.json") == Path(nano, "config.json")


def test_a_model_is_converted_once_and_again_after_a_change(
    tmp_path: Path, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "florence2")
    folder = write_published_model(tmp_path / "published")
    first = native_source(str(folder), None)
    copy = write_published_model(tmp_path / "copy")
    assert native_source(str(folder), None) == native_source(str(copy), None) == first
    assert [record.message.split(":")[0] for record in caplog.records] == [f"{folder} has Microsoft's layout"]
    save_file(
        {name: tensor + 1 for name, tensor in published_tensors().items() if "bias" not in name},
        folder / "model.safetensors",
    )
    assert len(list(cache.iterdir())) == 1
    with pytest.raises(ModelError, match="is missing"):
        native_source(str(folder), None)
    assert [entry.name for entry in cache.iterdir()] == [Path(first).name], "half of a conversion was kept"
    write_published_model(folder, weights={name: tensor / 2 for name, tensor in published_tensors().items()})
    assert native_source(str(folder), None) != first


def test_a_hub_id_is_loaded_without_its_code(hub: Path, tmp_path: Path) -> None:
    hub.mkdir(parents=True)
    for blob in write_published_model(tmp_path / "hub" / "models--someone--Florence-2-cards" / "blobs").iterdir():
        (hub / blob.name).symlink_to(Path("..", "..", "blobs", blob.name))
    for name in ("modeling", "configuration", "processing"):
        (hub / f"{name}_florence2.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    config = ModelConfig(base="someone/Florence-2-cards")
    model = load_base(config)
    assert model.tokenizer.image_token_id == 1285
    assert base_fingerprint(config) == COMMIT
    assert family_of(config).name == "nano"
    assert not (tmp_path / "ran").exists()
    assert not [name for name in sys.modules if "florence2" in name and name.startswith("transformers_modules")]


def test_half_a_download_of_a_hub_id_is_named(hub: Path, cache: Path) -> None:
    (write_published_model(hub) / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"has a config\.json and no weights.*download the model again"):
        load_base(ModelConfig(base="someone/Florence-2-cards"))
    assert not cache.exists() or not list(cache.iterdir())


def test_a_hub_id_without_a_configuration_is_left_to_transformers(hub: Path) -> None:
    hub.mkdir(parents=True)
    with pytest.raises(ModelError, match="'someone/Florence-2-cards' cannot be loaded"):
        load_base(ModelConfig(base="someone/Florence-2-cards"))
    assert native_file("someone/Florence-2-cards", COMMIT, "config.json") is None
