"""Checks that the MLflow store, in which runs are tracked and models registered, can be read."""

from __future__ import annotations

import os

from florence2.adapters import known_tracking_uri, registered_models
from florence2.doctor.finding import Finding
from florence2.errors import RegistryError
from florence2.storage import redact

__all__ = ["check_store"]

_SET_UP = "python -m pipelines.local_stack"

# Only in the process of this check: one attempt, instead of minutes of waiting for a server.
_PATIENCE = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "5", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}


def check_store() -> list[Finding]:
    """Check the store that the registry commands would use."""
    try:
        uri = known_tracking_uri()
    except RegistryError as exc:
        return [Finding("problem", str(exc), _SET_UP)]
    if uri is None:
        return [
            Finding(
                "warning",
                "no MLflow store is set up here: florence2 train works without one; for the pipelines and the "
                "registry run `make stack`, or name a server by MLFLOW_TRACKING_URI",
                _SET_UP,
            )
        ]
    for name, value in _PATIENCE.items():
        os.environ.setdefault(name, value)
    try:
        models = registered_models(uri)
    except RegistryError as exc:
        return [Finding("problem", str(exc))]
    where = redact(uri)
    if models is None:
        return [Finding("ok", f"{where}: nothing is stored there yet")]
    names = f": {', '.join(models[:3])}{' ...' if len(models) > 3 else ''}" if models else ""
    count = f"{len(models)} registered {'model' if len(models) == 1 else 'models'}"
    return [Finding("ok", f"{where}: can be read, {count}{names}")]
