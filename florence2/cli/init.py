"""The command init: a project for a data set of one's own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from florence2.cli.command import usage_error
from florence2.config import DatasetConfig, ModelConfig, TasksConfig

__all__ = ["init"]

_HELP = {
    name: str(field.description)
    for section in (DatasetConfig, ModelConfig, TasksConfig)
    for name, field in section.model_fields.items()
}


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the project; created if it is missing.")],
    data: Annotated[
        str | None, typer.Argument(metavar="DATASET", help="The same as --dataset.", show_default=False)
    ] = None,
    *,
    dataset: Annotated[
        str | None,
        typer.Option(help=f"{_HELP['source']} Default: the data set in DIR or in DIR/data.", show_default=False),
    ] = None,
    format: Annotated[str, typer.Option(help=_HELP["format"])] = DatasetConfig().format,
    base: Annotated[str, typer.Option("--model", "--base", help=f"Base: {_HELP['base']}")] = ModelConfig().base,
    task: Annotated[
        list[str] | None,
        typer.Option(metavar="TOKEN=KIND", help=f"{_HELP['task']} (may be repeated)", show_default=False),
    ] = None,
) -> None:
    """Read a data set and write a commented configuration for it, with the commands to type next.

    Nothing is overwritten.
    """
    from florence2.adapters import leave_out_backends
    from florence2.project import create_project

    leave_out_backends()
    if None not in (data, dataset) and data != dataset:
        raise usage_error(f"the data set is given twice, as {data} and by --dataset {dataset}; give one")
    project = create_project(folder, dataset or data, format=format, base=base, task=task or ())
    for sentence in project.found:
        typer.echo(sentence)
    typer.echo(f"written to {project.folder}: {', '.join(project.written)}")
    if project.kept:
        typer.echo(f"kept as they are: {', '.join(project.kept)}")
    typer.echo(f"next: florence2 train --config {shlex.quote(str(folder / 'florence.yaml'))}")
    typer.echo("to estimate the time on this machine: the same command with --dry-run")
