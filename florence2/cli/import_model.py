"""The command import: a native model from one in Microsoft's layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["import_model"]


def import_model(
    source: Annotated[str, typer.Argument(help="A folder or a hub id in Microsoft's layout.")],
    output: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder.")],
    *,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None,
) -> None:
    """Write a model in Microsoft's layout, such as microsoft/Florence-2-base-ft, as a native folder.

    It is not needed for training: every command converts such a model when it is named, and keeps the result.
    """
    from florence2.model import import_model as write

    write(source, output, revision)
    typer.echo(f"{output}: native, loads with plain transformers; use it by --model {output}")
