"""The versions of a registered model: numbers, tags and files."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from florence2.adapters.mlflow.registry import Registry
from florence2.errors import RegistryError


def test_the_files_of_a_version_are_downloaded_into_a_folder(registry: Registry, tmp_path: Path) -> None:
    assert (registry.download_into(tmp_path, "2") / "model.safetensors").read_bytes() == b"weights"
    shutil.rmtree(tmp_path / "source-1")
    with pytest.raises(RegistryError, match="cards version 2: artifacts/model cannot be read"):
        registry.download_into(tmp_path, "2")


def test_a_server_that_does_not_answer_is_an_error_without_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(RegistryError, match=r"the model registry http://\*\*\*@127.0.0.1:9 refused") as found:
        Registry("http://me:secret@127.0.0.1:9", "cards").version_of("champion")
    assert "secret" not in str(found.value)


def test_the_text_of_a_file_and_the_training_images_need_the_file(registry: Registry) -> None:
    with pytest.raises(RegistryError, match=r"cards version 1: artifacts/model_card\.md cannot be read"):
        registry.text_of("1", "model_card.md")
    with pytest.raises(RegistryError, match="cards: no version '9'; there are 1, 2, 3"):
        registry.tags_of("9")


def test_settings_that_differ_have_both_values_and_damaged_ones_are_an_error(
    registry: Registry, tmp_path: Path
) -> None:
    files = [tmp_path / f"source-{number}" / "artifacts" / "configuration.json" for number in range(2)]
    files[0].write_text('{"training": {"epochs": 2, "seed": 0}}')
    files[1].write_text('{"training": {"epochs": 8, "seed": 0}}')
    assert registry.changed_settings("1", "2") == {"training.epochs": ("2", "8")}
    files[1].write_text("{")
    with pytest.raises(RegistryError, match=r"cards version 2: configuration\.json is damaged"):
        registry.changed_settings("1", "2")


def test_training_images_that_are_not_those_registered_are_refused(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "source-0" / "artifacts" / "training_images.json").write_text('["ab"]')
    with pytest.raises(RegistryError, match="is not what was registered; train again"):
        registry.training_images("1")
    registry.annotate("1", {"training_images": hashlib.sha256(b'["ab"]').hexdigest()})
    assert registry.training_images("1") == frozenset({"ab"})
