"""The command tune: a search for settings that are better than those of the recipe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from florence2.cli.settings import with_settings
from florence2.config import TuningConfiguration

__all__ = ["tune"]


@with_settings(
    "dataset",
    "tasks",
    "validation",
    "split",
    "model",
    "training",
    "evaluation",
    "search",
    tree=TuningConfiguration,
    without=["reference", "space", "parallel"],
    dataset_argument=True,
)
def tune(
    *,
    output: Annotated[
        Path,
        typer.Option(help="Folder of the search; a search that was interrupted continues from it by the same command."),
    ] = Path("tuning"),
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")] = False,
    **s: Any,
) -> None:
    """Search for training settings that are better than the recipe, within some minutes."""
    from rich.console import Console

    from florence2 import sdk
    from florence2.reports import trial_table

    result = sdk.tune(TuningConfiguration(**s), output)
    outcome = result.outcome
    if as_json:
        content = {
            "result": result.sentence,
            "better": result.is_better,
            "winner": outcome.winner.number,
            "recipe": str(result.recipe),
            "page": str(result.page),
            "importances": outcome.importances,
            "trials": [trial.model_dump(mode="json", exclude={"resampled"}) for trial in outcome.trials],
        }
        typer.echo(json.dumps(content, indent=2))
        return
    Console().print(trial_table(outcome))
    typer.echo(f"{result.sentence}\nrecipe  {result.recipe}\npage    {result.page}")
