"""Weights are read from every kind of file, and no code in a file is run."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from florence2.errors import ModelError
from florence2.model.microsoft.weights import read_weights

WEIGHTS = {"a": torch.arange(4.0), "b": torch.ones((2, 2), dtype=torch.float16)}


def write_shards(folder: Path, kind: str) -> None:
    stem, suffix = kind.rsplit(".", 1)
    names = {key: f"{stem}-0000{number}-of-00002.{suffix}" for number, key in enumerate(WEIGHTS, 1)}
    for key, name in names.items():
        if suffix == "bin":
            torch.save({key: WEIGHTS[key]}, folder / name)
        else:
            save_file({key: WEIGHTS[key]}, folder / name)
    (folder / f"{kind}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))


def test_every_kind_of_file_is_read(tmp_path: Path) -> None:
    for kind in ("safetensors", "bin", "old bin", "sharded safetensors", "sharded bin"):
        folder = tmp_path / kind
        folder.mkdir()
        match kind:
            case "safetensors":
                save_file(WEIGHTS, folder / "model.safetensors")
            case "bin" | "old bin":
                torch.save(WEIGHTS, folder / "pytorch_model.bin", _use_new_zipfile_serialization=kind == "bin")
            case "sharded safetensors":
                write_shards(folder, "model.safetensors")
            case "sharded bin":
                write_shards(folder, "pytorch_model.bin")
        found = read_weights(folder)
        assert found.keys() == WEIGHTS.keys(), kind
        assert all(found[name].equal(WEIGHTS[name]) and found[name].dtype == WEIGHTS[name].dtype for name in WEIGHTS)


class Planted:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.file}",)


@pytest.mark.parametrize("by", ["torch", "pickle"])
def test_a_pickle_with_code_is_refused_and_nothing_of_it_runs(tmp_path: Path, by: str) -> None:
    content = WEIGHTS | {"c": Planted(tmp_path / "ran")}
    if by == "torch":
        torch.save(content, tmp_path / "pytorch_model.bin")
    else:
        (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(content))
    with pytest.raises(
        ModelError, match=r"pytorch_model\.bin: .*(the code \S*system|more than tensors), and nothing of it was run"
    ):
        read_weights(tmp_path)
    assert not (tmp_path / "ran").exists()
    torch.load(tmp_path / "pytorch_model.bin", weights_only=False) if by == "torch" else pickle.loads(
        (tmp_path / "pytorch_model.bin").read_bytes()
    )
    assert (tmp_path / "ran").exists(), "the planted code does not work, so the test shows nothing"


@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_half_a_sharded_download_is_named(tmp_path: Path, kind: str) -> None:
    write_shards(tmp_path, kind)
    second = next(tmp_path.glob("*-00002-of-*"))
    whole = second.read_bytes()
    second.unlink()
    with pytest.raises(ModelError, match=f"1 of 2 files with weights are missing: {second.name}; download"):
        read_weights(tmp_path)
    second.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match=f"{second.name}: is damaged or half a download"):
        read_weights(tmp_path)
    second.write_bytes(next(tmp_path.glob("*-00001-of-*")).read_bytes())
    with pytest.raises(ModelError, match=f"{second.name}: b is missing in it"):
        read_weights(tmp_path)
    (tmp_path / f"{kind}.index.json").unlink()
    with pytest.raises(ModelError, match=r"is a part of a model, and .*index\.json is missing"):
        read_weights(tmp_path)


def test_a_shard_outside_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}')
    with pytest.raises(ModelError, match="no name of a file in this folder"):
        read_weights(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": []')
    with pytest.raises(ModelError, match="cannot be read"):
        read_weights(tmp_path)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no weights: model\.safetensors or pytorch_model\.bin is missing"):
        read_weights(tmp_path)


@pytest.mark.parametrize("content", [{"a": torch.ones(2, dtype=torch.int8)}, {"state": {"a": torch.ones(2)}}, [1]])
def test_what_is_no_floating_tensor_is_named(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"floating numbers only|holds a list, not weights"):
        read_weights(tmp_path)
