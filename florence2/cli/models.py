"""Commands about models: train, evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from florence2.cli.command import LATEST
from florence2.cli.settings import with_settings
from florence2.config import Configuration
from florence2.errors import ModelError
from florence2.storage import ReportFiles, RunFiles

__all__ = ["evaluate", "train"]


@with_settings(
    "dataset",
    "tasks",
    "validation",
    "split",
    "model",
    "training",
    "evaluation",
    without=["reference"],
    dataset_argument=True,
)
def train(
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output", "--output-dir", help="Folder in which a numbered folder is created. (also --output-dir)"
        ),
    ] = Path("runs"),
    resume: Annotated[
        str | None,
        typer.Option(
            metavar="[RUN]",
            help="Continue the run in this folder; without a folder: the last unfinished run in OUTPUT.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Read and check everything, print the plan with its time and memory, and end. The output is a file "
            "for --config.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")] = False,
    **s: Any,
) -> None:
    """Fine-tune Florence-2 on a data set and evaluate it before and after."""
    configuration = Configuration(**s)
    if dry_run:
        if resume:
            raise typer.BadParameter("a resumed run has its plan already; leave out --dry-run or --resume")
        _show_plan(configuration, as_json)
        return
    from rich.console import Console

    from florence2 import sdk
    from florence2.evaluation import metrics_summary
    from florence2.reports import score_comparison_table, verdict_lines

    result = sdk.train(configuration, output, resume=resume == LATEST or resume or False)
    if as_json:
        content = {
            "folder": str(result.folder),
            "checkpoint": str(result.checkpoint.folder),
            "before": metrics_summary(result.report.before),
            "after": metrics_summary(result.report.after),
            "advice": result.report.advice,
        }
        typer.echo(json.dumps(content, indent=2))
        return
    console = Console()
    for line in verdict_lines(result.report.after, result.report.advice):
        console.print(line)
    console.print(score_comparison_table(result.report))
    typer.echo(
        f"checkpoint  {result.checkpoint.folder}\nreport      {result.folder / RunFiles.REPORT / ReportFiles.PAGE}"
    )


def _show_plan(configuration: Configuration, as_json: bool) -> None:
    from florence2.cli.plan import as_yaml, make_plan

    plan = make_plan(configuration)
    if as_json:
        content = {"configuration": plan.configuration.model_dump(mode="json"), "plan": plan.to_dict()}
        typer.echo(json.dumps(content, indent=2))
        return
    lines = ["the plan, and below it all settings; nothing was written", *plan.lines()]
    typer.echo("".join(f"# {' '.join(line.splitlines())}\n" for line in lines) + as_yaml(plan.configuration), nl=False)


@with_settings(
    "dataset",
    "tasks",
    "validation",
    "split",
    "evaluation",
    "model.revision",
    "training.max_target_tokens",
    without=["reference"],
    dataset_argument=True,
)
def evaluate(
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "--model-id",
            metavar="MODEL",
            help="Folder of a run, a checkpoint or a model, models:/NAME@ALIAS, a built-in base, or a hub id.",
            show_default=False,
        ),
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="Folder of a checkpoint or of a run.", show_default=False)
    ] = None,
    split: Annotated[Literal["train", "valid", "test"], typer.Option(help="The split to evaluate on.")] = "test",
    output: Annotated[
        Path | None,
        typer.Option(help="Folder for metrics.json, predictions.jsonl and report.html.", show_default=False),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print metrics.json, not a table.")] = False,
    **s: Any,
) -> None:
    """Evaluate a model on one split of a data set."""
    if (model is None) == (checkpoint is None):
        raise typer.BadParameter("give the model to evaluate either by --model or by --checkpoint")
    if checkpoint is not None and not checkpoint.is_dir():
        raise ModelError(f"{checkpoint}: no such folder; give the checkpoint folder that `florence2 train` wrote")
    configuration = Configuration(**s)
    from rich.console import Console

    from florence2 import sdk
    from florence2.evaluation import metrics_summary
    from florence2.reports import score_table, verdict_lines

    evaluation = sdk.evaluate(model or str(checkpoint), configuration, split, output)
    if as_json:
        typer.echo(json.dumps(metrics_summary(evaluation), indent=2))
        return
    console = Console()
    for line in verdict_lines(evaluation):
        console.print(line)
    console.print(score_table(evaluation, split))
    if output is not None:
        typer.echo(f"report      {output / ReportFiles.PAGE}")
