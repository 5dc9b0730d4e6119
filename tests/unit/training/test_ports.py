"""Ports that are free, and stay so until somebody listens there."""

from __future__ import annotations

import random
import socket

import pytest

from florence2.training import ports
from florence2.training.ports import free_port


def test_it_can_be_listened_on_and_is_none_that_the_system_gives_away() -> None:
    random.seed(0)
    before = random.getstate()
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as listening:
        assert listening.getsockname()[1] == port < 32_768, "Linux gives away those from there on"
    assert random.getstate() == before


def test_one_that_is_taken_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setattr(ports, "_PORTS", range(port, port + 1))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match=f"each port from {port} to {port}"):
        free_port()
    assert free_port() == port
