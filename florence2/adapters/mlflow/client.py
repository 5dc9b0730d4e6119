"""The one way to an MLflow store: a client that answers soon, and errors of this library for those of MLflow."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from florence2.adapters.mlflow.local_store import HOW_TO_REGISTER
from florence2.errors import RegistryError
from florence2.printable import first_line
from florence2.storage import redact

if TYPE_CHECKING:
    from mlflow import MlflowClient

__all__ = ["open_client", "prepare_environment", "translate_errors"]

_SQLITE = "sqlite:///"


def prepare_environment() -> None:
    """Set how MLflow behaves in this process, unless the user has set it."""
    # MLflow retries seven times with growing pauses, which takes minutes, before it reports a server as unreachable.
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")


def open_client(tracking_uri: str) -> MlflowClient:
    """Return a client of a store that exists.

    Raises:
        RegistryError: the store is a SQLite file that does not exist; MLflow would create an empty one.
    """
    import mlflow

    prepare_environment()
    file = tracking_uri.removeprefix(_SQLITE)
    if file != tracking_uri and not Path(file).is_file():
        raise RegistryError(f"{tracking_uri}: no such file, so no model is registered there yet; {HOW_TO_REGISTER}")
    return mlflow.MlflowClient(tracking_uri)


@contextlib.contextmanager
def translate_errors(problem: str) -> Iterator[None]:
    """Raise errors of MLflow and of its store as ``RegistryError``.

    Args:
        problem: what was not possible; begins the message.

    Raises:
        RegistryError: instead of an error of MLflow, of its database or of the file system.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, OSError, SQLAlchemyError) as exc:
        raise RegistryError(redact(f"{problem}: {first_line(exc)}")) from exc
