"""The command that exports: types of weights, and errors."""

from __future__ import annotations

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard
from transformers import Florence2ForConditionalGeneration
from typer.testing import CliRunner

from florence2.cli import app, main
from florence2.errors import ConfigurationError


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_weights_can_be_written_in_half(tmp_path: Path, dtype: str) -> None:
    output = tmp_path / "half"
    command = ["export", str(output), "--model", "builtin:nano", "--dtype", dtype, "--license", "mit"]
    done = CliRunner().invoke(app, command)
    assert "loads with plain transformers" in done.output
    model = Florence2ForConditionalGeneration.from_pretrained(output)
    assert model.dtype == getattr(torch, dtype)
    assert ModelCard.load(output / "README.md").data.license == "mit"
    modes = {file.stat().st_mode & 0o777 for file in output.iterdir()}
    assert len(modes) == 1


def test_a_name_that_is_taken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    result = CliRunner().invoke(app, ["export", str(tmp_path), "--model", "builtin:nano"])
    assert isinstance(result.exception, ConfigurationError)
    assert "is not an empty folder; give a new one, nothing is overwritten" in str(result.exception)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """A limit on the size of files stands for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_is_an_error_of_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["florence2", "export", str(tmp_path / "new"), "--model", "builtin:nano"])
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capfd.readouterr().err
    assert ended.value.code == 1
    assert printed.startswith(f"error: {tmp_path}/new: cannot be written (")
    assert "File too large" in printed
    assert len(printed.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
