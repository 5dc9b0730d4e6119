"""Free ports for processes that get a port as an argument and listen on it only seconds later."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]

_PORTS = range(20_000, 32_000)
"""Below the ports that a system gives to new connections, so that no connection takes the port meanwhile."""


def free_port() -> int:
    """Return a random port of this machine on which no process listens.

    Raises:
        OSError: there is no such port.
    """
    # Not from the generator that a seed makes equal in all processes.
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port from {_PORTS[0]} to {_PORTS[-1]}: end processes that listen there")
