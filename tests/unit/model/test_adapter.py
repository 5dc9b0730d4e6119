"""What an adapter on disk is, and what of it cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from florence2.errors import ModelError
from florence2.model.adapter import Adapter, is_adapter


def write(folder: Path, **settings: Any) -> Path:
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"} | settings))
    return folder


def test_an_adapter_names_its_base_and_its_revision(tmp_path: Path) -> None:
    found = Adapter.read(write(tmp_path, base_model_name_or_path="a/b", revision="c")).base
    assert (found.base, found.revision) == ("a/b", "c")
    with pytest.raises(
        ModelError, match=rf"names no base; give it by `florence2 import {tmp_path} FOLDER --base BASE`"
    ):
        _ = Adapter.read(write(tmp_path)).base


def test_a_folder_with_a_whole_model_is_no_adapter(tmp_path: Path) -> None:
    assert not is_adapter(tmp_path)
    write(tmp_path)
    (tmp_path / "config.json").touch()
    (tmp_path / "adapter_model.safetensors").touch()
    assert is_adapter(tmp_path)
    (tmp_path / "model.safetensors").touch()
    assert not is_adapter(tmp_path)


@pytest.mark.parametrize("file", ["adapter_model.safetensors", "adapter_model.bin"])
def test_weights_are_read_in_float32(file: str, tmp_path: Path) -> None:
    adapter = Adapter.read(write(tmp_path))
    with pytest.raises(ModelError, match=r"has an adapter_config\.json and no adapter_model\.safetensors"):
        adapter.weights()
    tensors = {"a": torch.ones(2, dtype=torch.bfloat16)}
    save_file(tensors, tmp_path / file) if file.endswith("safetensors") else torch.save(tensors, tmp_path / file)
    assert adapter.weights()["a"].dtype == torch.float32


@pytest.mark.parametrize(("text", "message"), [("{", "cannot be read"), ('{"peft_type": "IA3"}', "peft_type is IA3")])
def test_what_is_no_lora_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        Adapter.read(tmp_path)
