"""The command init: a project of one's own, from the data set that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from florence2.cli.settings import with_settings
from florence2.config import Configuration

__all__ = ["init"]


@with_settings("dataset", "model.base", without=["reference"])
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of the project; made if need be.")],
    **settings: Any,
) -> None:
    """Look at a data set and write a commented configuration that suits it, with the commands to type next.

    Without --dataset the data are looked for in DIR and DIR/data. Nothing is ever overwritten.
    """
    configuration = Configuration(**settings)
    from florence2.project import create_project

    dataset = configuration.dataset if "source" in settings else None
    project = create_project(folder, dataset, configuration.model.base)
    for sentence in project.found:
        typer.echo(sentence)
    typer.echo(f"written to {project.folder}: {', '.join(project.written)}")
    if project.kept:
        typer.echo(f"left as they are: {', '.join(project.kept)}")
    typer.echo(f"next: florence2 train --config {_shown(folder / 'florence.yaml')}")


def _shown(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))
