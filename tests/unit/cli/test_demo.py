"""The command demo: its limits, and mistakes in its options."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from florence2.cli import app
from florence2.config import LimitsConfig
from florence2.errors import ConfigurationError, RegistryError


def test_the_page_takes_as_large_a_file_as_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[float] = []

    def stop(page: Any, host: str, port: int, upload_megabytes: float) -> str:
        taken.append(upload_megabytes)
        raise ConfigurationError("far enough")

    monkeypatch.setattr("florence2.serving.serve_page", stop)
    CliRunner().invoke(app, ["demo", "--model", "builtin:nano"])
    assert taken == [LimitsConfig().max_upload_mb]


def test_a_challenger_needs_a_model_to_be_compared_with() -> None:
    found = CliRunner().invoke(app, ["demo", "--challenger", "builtin:nano"])
    assert "--challenger: needs --model" in str(found.exception)


def test_a_store_that_was_named_must_be_there(tmp_path: Path) -> None:
    found = CliRunner().invoke(app, ["demo", "--tracking-uri", f"sqlite:///{tmp_path}/none.db"])
    assert isinstance(found.exception, RegistryError)
    assert "no such file" in str(found.exception)
