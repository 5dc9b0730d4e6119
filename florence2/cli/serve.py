"""The command serve: a model behind HTTP."""

from __future__ import annotations

from typing import Any

import typer

from florence2.cli.settings import with_settings
from florence2.config import ServingConfiguration

__all__ = ["serve"]


@with_settings(
    "model",
    "serving",
    "limits",
    "evaluation",
    tree=ServingConfiguration,
    without=["metrics", "examples", "resamples", "eval_batch_size"],
)
def serve(**settings: Any) -> None:
    """Answer requests over HTTP until Ctrl-C or SIGTERM, see docs/serving.md. MODEL may be models:/NAME@champion."""
    configuration = ServingConfiguration(**settings)
    from florence2.serving import serve as run_server

    run_server(configuration, typer.echo)
