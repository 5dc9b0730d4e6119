"""The command serve: its options, and what it says where it cannot start."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from florence2.cli import app, main
from florence2.config import ServingConfiguration, leaf_paths


def test_every_setting_of_the_server_is_an_option() -> None:
    text = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).output
    for name, path in leaf_paths(ServingConfiguration):
        if path[0] in ("serving", "limits"):
            assert f"--{name.replace('_', '-')}" in text
    assert "--model" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--model", "none"], "unknown base model 'none'"),
        (["--model", "models:/cards"], "models:/NAME@ALIAS or models:/NAME/VERSION"),
        (["--model", "models:/cards@champion", "--tracking-uri", "sqlite:///none.db"], "none.db: no such file"),
        (["--max-pixels", "0"], "limits.max_pixels: "),
        (["--port", "70000"], "serving.port: "),
        (["--queue", "8"], "limits.max_questions 16 is more than serving.queue 8"),
        (["--host", "192.0.2.1"], "192.0.2.1:0 cannot be bound"),
    ],
)
def test_what_prevents_the_start_is_reported(
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = options if "--port" in options else [*options, "--port", "0"]
    monkeypatch.setattr(sys, "argv", ["florence2", "serve", *given])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == (2 if message.startswith(("limits.", "serving.")) else 1)  # 2: usage error
    assert message in capsys.readouterr().err


def test_a_port_in_use_is_reported_before_a_model_is_loaded(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setattr(sys, "argv", ["florence2", "serve", "--model", "none", "--port", str(port)])
        with pytest.raises(SystemExit) as ended:
            main()
    assert ended.value.code == 1
    assert f"127.0.0.1:{port} cannot be bound (Address already in use)" in capsys.readouterr().err
