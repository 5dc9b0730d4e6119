"""The default MLflow store: that of MLflow's own setting, else that of the local stack."""

from __future__ import annotations

import os
from pathlib import Path

from florence2.errors import RegistryError

__all__ = ["HOW_TO_REGISTER", "TRACKING_URI_FILE", "default_tracking_uri", "known_tracking_uri"]

TRACKING_URI_FILE = Path(".zen") / "mlflow_tracking_uri"
"""File into which ``make stack`` writes the store, below the folder from which pipelines are started."""

HOW_TO_REGISTER = (
    "to register a model, run `make stack` and then `zenml pipeline run florence_finetune` in the folder of "
    "florence2-finetune; if models are registered elsewhere, name that store by --tracking-uri or MLFLOW_TRACKING_URI"
)
"""What to do before the first run, as the end of a sentence."""


def default_tracking_uri() -> str:
    """Return the store of ``MLFLOW_TRACKING_URI``, else that of the local stack of this folder or one above.

    Raises:
        RegistryError: there is none, or the file that names it is damaged.
    """
    if found := known_tracking_uri():
        return found
    raise RegistryError(
        f"no MLflow store: {Path.cwd()} and the folders above have no {TRACKING_URI_FILE}, and MLFLOW_TRACKING_URI is"
        f" not set; {HOW_TO_REGISTER}"
    )


def known_tracking_uri() -> str | None:
    """Return the store that ``default_tracking_uri`` returns; None where none was set up.

    Raises:
        RegistryError: the file that names it is damaged.
    """
    if found := os.environ.get("MLFLOW_TRACKING_URI"):
        return found
    here = Path.cwd()
    for file in (folder / TRACKING_URI_FILE for folder in (here, *here.parents)):
        if not file.is_file():
            continue
        try:
            found = file.read_text(encoding="utf-8").strip()
        except (OSError, ValueError):
            found = ""
        if not found:
            raise RegistryError(
                f"{file}: is damaged, it names no MLflow store; run `make stack` to write it again, or name a"
                " store by --tracking-uri or MLFLOW_TRACKING_URI"
            )
        return found
    return None
