"""The state of an MLflow store, which is not changed: whether it answers, can be read, and what is registered."""

from __future__ import annotations

import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from florence2.adapters.mlflow.client import open_client, translate_errors
from florence2.errors import RegistryError
from florence2.storage import redact

__all__ = ["check_answers", "registered_models"]

_PORTS = {"http": 80, "https": 443}


def registered_models(tracking_uri: str, seconds: float = 5.0) -> list[str] | None:
    """Return the names of the registered models, at most a hundred; None where nothing has been stored yet.

    Args:
        tracking_uri: of the store.
        seconds: time in which a server must accept a connection.

    Raises:
        RegistryError: the store cannot be reached or read; the message says what to do.
    """
    check_answers(tracking_uri, seconds)
    if tracking_uri.startswith("sqlite:///") and not _has_tables(_sqlite_file(tracking_uri)):
        return None
    from florence2.adapters.mlflow.lock import is_lock_of_earlier_version

    with translate_errors(f"{tracking_uri}: the store cannot be read"):
        client = open_client(tracking_uri)
        client.search_experiments(max_results=1)
        found = client.search_registered_models(max_results=100)
    return [model.name for model in found if not is_lock_of_earlier_version(model)]


def check_answers(tracking_uri: str, seconds: float) -> None:
    """Check that a server answers at a URI; a URI that names no server is not checked.

    Raises:
        RegistryError: no server answers.
    """
    parts = urlsplit(tracking_uri)
    if parts.scheme not in _PORTS:
        return
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    try:
        socket.create_connection((host, port), timeout=seconds).close()
    except OSError as exc:
        reason = "no answer in time" if isinstance(exc, TimeoutError) else exc.strerror or exc
        raise RegistryError(
            f"{redact(tracking_uri)}: nothing answers at {host}:{port} ({reason}); start the server, or correct the "
            "address, the network or the proxy"
        ) from exc


def _sqlite_file(tracking_uri: str) -> Path:
    return Path(unquote(urlsplit(tracking_uri).path)[1:])


def _has_tables(file: Path) -> bool:
    """Return whether a database has tables; MLflow would create them when it opens the database."""
    if not file.exists():
        if not file.parent.is_dir():
            raise RegistryError(f"{file}: its folder is gone; run `make stack` to set up the local stack again")
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as database:
            return bool(database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    except sqlite3.Error as exc:
        raise RegistryError(
            f"{file}: the store cannot be read ({exc}); restore it from a backup, or move it away and run `make stack`"
        ) from exc
