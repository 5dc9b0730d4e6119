"""Free ports stay free until the process listens on them."""

from __future__ import annotations

import random
import socket

import pytest

from florence2.training import ports
from florence2.training.ports import free_port


def test_a_free_port_can_be_listened_on_and_is_none_of_new_connections() -> None:
    random.seed(0)
    before = random.getstate()
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listening:
        assert listening.getsockname()[1] == port < 32_768, "Linux gives away those from there on"
    assert random.getstate() == before


def test_a_taken_port_is_never_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr(ports, "_PORTS", range(port, port + 1))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match=f"no free port from {port} to {port}"):
        free_port()
    assert free_port() == port
