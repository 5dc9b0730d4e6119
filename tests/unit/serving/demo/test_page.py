"""The demo page: what it needs, and an address that is in use."""

from __future__ import annotations

import socket
import sys

import pytest
from typer.testing import CliRunner

from florence2.cli import app
from florence2.errors import ConfigurationError


def test_without_gradio_the_command_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gradio", None)
    found = CliRunner().invoke(app, ["demo", "--model", "builtin:nano"])
    assert found.exit_code == 1
    assert isinstance(found.exception, ConfigurationError)
    assert "install it by: pip install 'florence2-finetune[serve]'" in str(found.exception)


def test_a_port_in_use_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = CliRunner().invoke(app, ["demo", "--model", "builtin:nano", "--port", str(port)])
    assert isinstance(found.exception, ConfigurationError)
    assert f"127.0.0.1:{port} cannot be bound" in str(found.exception)
