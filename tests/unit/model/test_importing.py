"""A model in Microsoft's layout becomes a native folder, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.errors import ConfigurationError, ModelError
from florence2.model.base import load_folder
from florence2.model.importing import import_model
from tests.published import write_published_model


def test_a_native_folder_is_written(tmp_path: Path) -> None:
    source = write_published_model(tmp_path / "published")
    assert load_folder(str(import_model(str(source), tmp_path / "new" / "native"))).tokenizer.image_token_id == 1285


def test_nothing_is_written_of_a_model_that_does_not_fit(tmp_path: Path) -> None:
    source = write_published_model(tmp_path / "published")
    (source / "model.safetensors").write_bytes(b"half")
    with pytest.raises(ModelError, match=r"model\.safetensors: is damaged"):
        import_model(str(source), tmp_path / "native")
    assert [entry.name for entry in tmp_path.iterdir()] == ["published"]


def test_what_cannot_be_imported_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="builtin:nano: is not in Microsoft's layout"):
        import_model("builtin:nano", tmp_path / "native")
    with pytest.raises(ConfigurationError, match="is not an empty folder"):
        import_model("builtin:nano", write_published_model(tmp_path))
