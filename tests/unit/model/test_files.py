"""One file of a base."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import BUILTIN_MODELS
from florence2.model.files import model_file
from tests.published import write_published_model


def test_the_file_of_a_folder_is_in_it() -> None:
    found = model_file(ModelConfig(base="builtin:nano"), "config.json")
    assert found == BUILTIN_MODELS["builtin:nano"] / "config.json"


def test_the_files_of_a_model_in_microsofts_layout_are_the_native_ones_and_need_no_weights(tmp_path: Path) -> None:
    folder = write_published_model(tmp_path)
    (folder / "model.safetensors").unlink()
    config = json.loads(model_file(ModelConfig(base=str(folder)), "config.json").read_text())
    assert config["text_config"]["model_type"] == "bart"
    tokens = json.loads(model_file(ModelConfig(base=str(folder)), "tokenizer.json").read_text())["added_tokens"]
    assert tokens[-1]["content"] == "<image>"


def test_a_base_that_is_not_there_is_named() -> None:
    with pytest.raises(ModelError, match="unknown base model 'no-such-model'"):
        model_file(ModelConfig(base="no-such-model"), "config.json")
