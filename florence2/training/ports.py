"""Ports for processes that have to be told one, and take seconds until they listen there."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]

_PORTS = range(20_000, 32_000)
"""Below those that a system gives to whoever asks for any: no connection made meanwhile can get the port."""


def free_port() -> int:
    """Return a port of this machine that nobody listens on; drawn anew at each call.

    Raises:
        OSError: there is none.
    """
    # Not from the generator that a seed makes the same in all processes.
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"somebody listens on each port from {_PORTS[0]} to {_PORTS[-1]}")
