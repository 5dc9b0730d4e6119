"""Commands about models: train, evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from florence2.cli.settings import with_settings
from florence2.config import Configuration

__all__ = ["LATEST", "evaluate", "train"]

LATEST = "latest"
"""Value of ``--resume`` without a folder."""


@with_settings()
def train(
    *,
    output: Annotated[Path, typer.Option(help="Folder in which a numbered folder is made.")] = Path("runs"),
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="[RUN]",
            help="Go on with the run in this folder; without a folder: the last one in OUTPUT that did not end.",
            show_default=False,
        ),
    ] = None,
    **s: Any,
) -> None:
    """Fine-tune Florence-2 on a data set and evaluate it before and after."""
    configuration = Configuration(**s)
    from rich.console import Console

    from florence2 import sdk
    from florence2.evaluation.terminal import comparison

    result = sdk.train(configuration, output, resume=resume == LATEST or resume or False)
    Console().print(comparison(result.report))
    typer.echo(f"checkpoint  {result.checkpoint.folder}\nreport      {result.folder / 'report' / 'report.html'}")


@with_settings()
def evaluate(
    *,
    checkpoint: Annotated[Path, typer.Option(help="Folder of a checkpoint or of a run.")],
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "test",
    **s: Any,
) -> None:
    """Evaluate a checkpoint on one split of a data set."""
    configuration = Configuration(**s)
    from florence2 import sdk

    for name, value in sdk.evaluate(checkpoint, configuration, split).metrics.items():
        typer.echo(f"{name:24} {value:.4f}")
