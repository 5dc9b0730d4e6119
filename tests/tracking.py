"""An MLflow store for as long as a test needs it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import mlflow
import pytest

__all__ = ["tracked_in"]


@contextlib.contextmanager
def tracked_in(uri: str) -> Iterator[None]:
    """Let MLflow write to a store, and forget it afterwards.

    ``mlflow.set_tracking_uri`` also sets an environment variable, which every process that a later test starts would
    take for the user's own choice.
    """
    before = mlflow.get_tracking_uri()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        mlflow.set_tracking_uri(uri)
        try:
            yield
        finally:
            mlflow.set_tracking_uri(before)
