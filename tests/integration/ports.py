"""Ports for servers that have to be told one, and take seconds until they listen."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]

_PORTS = range(20_000, 32_000)
"""Below those that a system gives to whoever asks for any: no connection made meanwhile can have got the port."""

_given: set[int] = set()


def free_port() -> int:
    """Return a port that nobody listens on, another one at each call."""
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in _given:
            _given.add(port)
            return port
    raise AssertionError(f"no port of {_PORTS} is free")
