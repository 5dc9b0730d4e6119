"""The command export: a model for others, as plain transformers or onnxruntime loads it."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from florence2.config import ModelConfig
from florence2.errors import ConfigurationError
from florence2.storage import check_new_folder

__all__ = ["export"]

logger = logging.getLogger(__name__)


def export(
    output: Annotated[Path, typer.Argument(help="New folder.")],
    *,
    model: Annotated[
        str,
        typer.Option(
            help="The folder of a run, a checkpoint or a model, models:/NAME@ALIAS, a built-in base, or a hub id."
        ),
    ],
    form: Annotated[
        Literal["transformers", "onnx"], typer.Option("--format", help="Who shall load it.")
    ] = "transformers",
    dtype: Annotated[
        Literal["float32", "float16", "bfloat16"], typer.Option(help="How each weight is written; onnx: float32.")
    ] = "float32",
    license: Annotated[
        str | None, typer.Option(help="For the model card, such as mit; without: that of the base.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(help="MLflow store of models:/...; without: MLFLOW_TRACKING_URI, else the local stack's."),
    ] = None,
) -> None:
    """Write a model, its adapters merged, with its processor and a model card into a new folder."""
    if form == "onnx" and dtype != "float32":
        raise ConfigurationError(f"--dtype {dtype}: the graphs of onnx are float32; leave it out")
    check_new_folder(output)
    from florence2.adapters import exportable_model
    from florence2.export import check_installed, export_onnx, export_transformers

    if form == "onnx":
        check_installed()
    source = exportable_model(ModelConfig(base=model, revision=revision), output.name, tracking_uri)
    if license is not None:
        source = replace(source, facts=replace(source.facts, license=license))
    if form == "onnx":
        difference = export_onnx(source, output)
        typer.echo(f"{output}: answers as the model does, no logit is off by more than {difference:.1e}")
        reader = "onnxruntime"
    else:
        export_transformers(source, output, dtype)
        reader = "transformers"
    typer.echo(f"{output}: {_size(output)}, loads with plain {reader}; its README.md says how")


def _size(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:.1f} MB"
