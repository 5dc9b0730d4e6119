"""The command demo: a web page on which models are tried."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from florence2.config import EvaluationConfig, LimitsConfig, RegistrationConfig
from florence2.errors import ConfigurationError

__all__ = ["demo"]

_DEFAULT_NAME = RegistrationConfig().model_name
_UPLOAD_MB = LimitsConfig().max_upload_mb


def demo(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            help="Folder of a run, a checkpoint or a model, models:/NAME@ALIAS, a built-in base, or a hub id; default:"
            " the champion, and the challenger next to it.",
            show_default=False,
        ),
    ] = None,
    challenger: Annotated[
        str | None, typer.Option(help="Second model, shown next to --model.", show_default=False)
    ] = None,
    name: Annotated[str, typer.Option(help="Registered model whose champion is shown.")] = _DEFAULT_NAME,
    tracking_uri: Annotated[
        str | None,
        typer.Option(help="MLflow store; default: MLFLOW_TRACKING_URI, else the local stack's.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen to; 0.0.0.0 lets other machines in.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen to.", min=1, max=65535)] = 7860,
    min_confidence: Annotated[
        float, typer.Option(help="Least confidence of a box; a slider of the page changes it.", min=0, max=1)
    ] = EvaluationConfig().min_confidence,
    max_upload_mb: Annotated[float, typer.Option(help="Largest image file in megabytes.", min=0.001)] = _UPLOAD_MB,
) -> None:
    """Serve a page: drop an image, choose a task, see the models' answers. Ctrl-C ends it."""
    if challenger is not None and model is None:
        raise ConfigurationError("--challenger: needs --model, the model that it is compared with")
    from florence2.serving import build_page, check_installed, named_models, registered_models, serve_page

    check_installed()
    if model is None:
        models = registered_models(name, tracking_uri)
    else:
        models = named_models([model] if challenger is None else [model, challenger], tracking_uri)
    page = build_page(models, EvaluationConfig(min_confidence=min_confidence))
    address = serve_page(page, host, port, max_upload_mb)
    typer.echo(f"{', '.join(models)}: {address} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    finally:
        page.close(verbose=False)
