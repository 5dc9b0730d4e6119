"""The command export: a model that plain transformers, Microsoft's code or onnxruntime loads."""

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
        Literal["transformers", "microsoft", "onnx"],
        typer.Option(
            "--format", help="What loads the model: plain transformers, Microsoft's own code, or onnxruntime."
        ),
    ] = "transformers",
    dtype: Annotated[
        Literal["float32", "float16", "bfloat16"], typer.Option(help="Type of the weights; onnx: float32.")
    ] = "float32",
    license: Annotated[
        str | None, typer.Option(help="For the model card, such as mit; default: that of the base.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None,
    tracking_uri: Annotated[
        str | None,
        typer.Option(help="MLflow store of models:/...; default: MLFLOW_TRACKING_URI, else the local stack's."),
    ] = None,
) -> None:
    """Write a model, its adapters merged, with its processor and a model card into a new folder."""
    if form == "onnx" and dtype != "float32":
        raise ConfigurationError(f"--dtype {dtype}: ONNX graphs are written in float32; leave --dtype out")
    check_new_folder(output)
    from florence2.adapters import exportable_model
    from florence2.export import check_installed, export_microsoft, export_onnx, export_transformers

    if form == "onnx":
        check_installed()
    source = exportable_model(ModelConfig(base=model, revision=revision), output.name, tracking_uri)
    if license is not None:
        source = replace(source, facts=replace(source.facts, license=license))
    if form == "onnx":
        difference = export_onnx(source, output)
        typer.echo(f"{output}: gives the same answers as the model; logits differ by at most {difference:.1e}")
        reader = "plain onnxruntime"
    elif form == "microsoft":
        from florence2.model import CODE_SOURCE

        export_microsoft(source, output, dtype)
        typer.echo(
            f"{output}: Microsoft's three code files are not in it; transformers fetches them from {CODE_SOURCE}"
        )
        reader = "Microsoft's code"
    else:
        export_transformers(source, output, dtype)
        reader = "plain transformers"
    typer.echo(f"{output}: {_size(output)}, loads with {reader}; its README.md says how")


def _size(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:.1f} MB"
