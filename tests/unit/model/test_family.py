"""Families of bases, by the width of their text model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.family import family_of


@pytest.mark.parametrize(("base", "family"), [("builtin:nano", "nano"), ("builtin:small", "small")])
def test_built_in_bases_have_families_of_their_own(base: str, family: str) -> None:
    assert family_of(ModelConfig(base=base)).name == family


@pytest.mark.parametrize(
    ("width", "family"), [(128, "nano"), (160, "small"), (768, "florence-2"), (1024, "florence-2")]
)
def test_the_width_decides(tmp_path: Path, width: int, family: str) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"text_config": {"d_model": width}}))
    assert family_of(ModelConfig(base=str(tmp_path))).name == family


@pytest.mark.parametrize("content", ["{}", "not JSON", '{"text_config": {"d_model": null}}'])
def test_a_folder_of_another_model_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(ModelError, match=r"not a native Florence-2: its config\.json gives no text_config\.d_model"):
        family_of(ModelConfig(base=str(tmp_path)))
