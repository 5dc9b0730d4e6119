"""ONNX export: what is missing or wrong is reported before the work. The graphs: integration/test_onnx_export.py."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from florence2.cli import app


def test_what_is_missing_or_wrong_is_reported_before_the_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = ["export", str(tmp_path / "new"), "--model", "builtin:nano", "--format", "onnx"]
    found = CliRunner().invoke(app, [*command, "--dtype", "float16"])
    assert "--dtype float16: ONNX graphs are written in float32" in str(found.exception)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found = CliRunner().invoke(app, command)
    assert "needs onnxruntime; install it by: pip install 'florence2-finetune[onnx]'" in str(found.exception)
