"""The command import: a native model from one in Microsoft's layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["import_model"]


def import_model(
    source: Annotated[
        str, typer.Argument(help="A folder or a hub id: a model in Microsoft's layout, or a PEFT adapter.")
    ],
    output: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder.")],
    *,
    base: Annotated[
        str | None, typer.Option(help="Base of an adapter; default: the one that its adapter_config.json names.")
    ] = None,
    revision: Annotated[str | None, typer.Option(help="Branch, tag or commit of a hub id.")] = None,
) -> None:
    """Write a model in Microsoft's layout, or a PEFT adapter merged into its base, as a native folder.

    It is not needed for training: every command takes such a model, microsoft/Florence-2-base-ft for example, and such
    an adapter as they are.
    """
    from florence2.model import import_model as write

    write(source, output, revision, base)
    typer.echo(f"{output}: native, loads with plain transformers; use it by --model {output}")
