"""Runs the application: binds the port, answers requests until a signal, and ends after the requests in progress."""

from __future__ import annotations

import contextlib
import math
import signal
import socket
from collections.abc import Callable

from florence2.adapters import model_source
from florence2.config import ServingConfiguration
from florence2.errors import ConfigurationError
from florence2.serving.app import create_app

__all__ = ["serve"]

_BACKLOG = 2048
"""Connections that may wait for being accepted."""

_KEEP_ALIVE_SECONDS = 75
"""How long a connection is kept between requests: clients of a slow model often need more than uvicorn's five."""


def serve(settings: ServingConfiguration, announce: Callable[[str], None]) -> None:
    """Load a model and answer requests until SIGTERM or SIGINT.

    Args:
        settings: of the server.
        announce: called with a line that has the address, when requests are answered.

    Raises:
        ConfigurationError: the port is in use, or not allowed.
        Florence2Error: the model cannot be found or loaded.
        KeyboardInterrupt: SIGINT came.
    """
    import uvicorn

    _raise_file_limit()
    with _bound(settings.serving.host, settings.serving.port) as listener:
        source = model_source(settings.model, settings.serving.tracking_uri)
        app = create_app(source, settings)
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            server_header=False,
            ws="none",
            lifespan="on",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=math.ceil(settings.serving.request_seconds) + 1,
        )
        listener.listen(_BACKLOG)
        host, port = listener.getsockname()[:2]
        announce(f"{settings.model.base} answers at http://{f'[{host}]' if ':' in host else host}:{port}")
        # uvicorn raises the signal that it received again, after its work is done: a requested end is not a failure.
        before = signal.signal(signal.SIGTERM, lambda number, frame: None)  # noqa: ARG005
        try:
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            signal.signal(signal.SIGTERM, before)


def _bound(host: str, port: int) -> socket.socket:
    try:
        (family, _, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as exc:
        raise ConfigurationError(
            f"{host}:{port} cannot be bound ({exc.strerror}); give another --host or --port"
        ) from exc
    return listener


def _raise_file_limit() -> None:
    """Allow as many open files as the system does: many clients at a time need more than the usual 1,024."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
