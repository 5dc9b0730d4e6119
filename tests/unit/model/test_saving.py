"""A saved model is read by all users of the machine, and a full disk is an error of the system."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from florence2.config import ModelConfig
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.saving import save_folder


@pytest.fixture
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


def test_weights_have_the_type_and_the_permissions_of_the_folder(nano: Florence2, tmp_path: Path) -> None:
    folder = save_folder(nano, tmp_path / "saved", "bfloat16")
    weights = folder / "model.safetensors"
    assert {values.dtype for values in load_file(weights).values()} == {torch.bfloat16}
    assert weights.stat().st_mode == (folder / "config.json").stat().st_mode
    assert (folder / "tokenizer.json").is_file()


def test_a_full_disk_is_an_os_error(nano: Florence2, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        raise SafetensorError("No space left on device")

    monkeypatch.setattr(nano.model, "save_pretrained", fail)
    with pytest.raises(OSError, match="No space left on device"):
        save_folder(nano, tmp_path / "saved")
