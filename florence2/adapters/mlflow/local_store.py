"""Which MLflow store is meant where none is named: MLflow's own setting, else that of the local stack."""

from __future__ import annotations

import os
from pathlib import Path

from florence2.errors import RegistryError

__all__ = ["TRACKING_URI_FILE", "default_tracking_uri"]

TRACKING_URI_FILE = Path(".zen") / "mlflow_tracking_uri"
"""File in which ``make stack`` writes down the store, below the folder from which pipelines are started."""


def default_tracking_uri() -> str:
    """Return the store of ``MLFLOW_TRACKING_URI``, else that of the local stack of this folder or one above.

    Raises:
        RegistryError: there is neither.
    """
    if found := os.environ.get("MLFLOW_TRACKING_URI"):
        return found
    here = Path.cwd()
    for folder in (here, *here.parents):
        file = folder / TRACKING_URI_FILE
        if file.is_file():
            return file.read_text(encoding="utf-8").strip()
    raise RegistryError(
        f"no MLflow store: {here} and the folders above have no {TRACKING_URI_FILE}, and MLFLOW_TRACKING_URI is not"
        " set; give --tracking-uri, or run `make stack` to set up the local stack"
    )
