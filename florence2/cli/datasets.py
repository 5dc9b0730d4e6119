"""Commands about data sets: validate, stats, freeze."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from florence2.cli.settings import with_settings
from florence2.codec import task_table
from florence2.config import Configuration
from florence2.errors import ConfigurationError, Florence2Error
from florence2.storage import write_file

if TYPE_CHECKING:
    from florence2.datasets import ValidationReport

__all__ = ["AsJson", "Source", "configured", "freeze", "stats", "validate"]

Source = Annotated[
    str, typer.Argument(help="Folder, archive, URI or annotation file of the data set, or builtin:cards.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")]


@with_settings(
    "dataset",
    "tasks",
    "validation",
    "model",
    "training.max_target_tokens",
    without=["reference"],
    dataset_argument=True,
)
def validate(
    *,
    report: Annotated[Path | None, typer.Option(help="File for the findings as an HTML page.")] = None,
    quarantine: Annotated[
        Path | None, typer.Option(help="File for the quarantined samples, one JSON object per line.")
    ] = None,
    limit: Annotated[int, typer.Option(help="Findings of each rule to list; the rest is only counted.", min=0)] = 3,
    all_findings: Annotated[
        bool, typer.Option("--all", help="List the findings of each rule, up to a thousand; not three of each.")
    ] = False,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Check every annotation and image; ends with status 1 if a sample breaks a rule that is an error.

    The length of answers is checked only with --model, whose tokenizer counts them.
    """
    config = configured(None, settings)
    for name in ("revision", "max_target_tokens"):
        if name in settings and "base" not in settings:
            flag = f"--{name.replace('_', '-')} {settings[name]}"
            raise ConfigurationError(
                f"{flag}: needs a model, whose tokenizer counts the tokens of answers; give it by --model"
            )
    from florence2.adapters import leave_out_backends, validate
    from florence2.datasets import ingest, raise_for_errors
    from florence2.model import answer_length

    leave_out_backends()
    length = answer_length(config.model, config.training.max_target_tokens) if "base" in settings else None
    clean, found = validate(
        ingest(config.dataset, task_table(config.tasks.task)),
        config.validation,
        count_tokens=length.count if length else None,
        max_target_tokens=length.limit if length else None,
    )
    if report is not None:
        write_file(report, found.docs_html)
    if quarantine is not None:
        write_file(quarantine, "".join(json.dumps(row) + "\n" for row in found.to_dict()["quarantine"]))
    _print_findings(found, None if all_findings else limit, as_json)
    try:
        raise_for_errors(clean, found)
    except Florence2Error as exc:  # the findings have been listed already
        raise typer.Exit(exc.exit_status) from exc


def _print_findings(found: ValidationReport, examples: int | None, as_json: bool) -> None:
    if as_json:
        content = found.to_dict()
        del content["docs_html"]
        typer.echo(json.dumps(content, indent=2))
        return
    typer.echo(found.summary_text(examples))


@with_settings("dataset", "tasks", without=["reference"], dataset_argument=True)
def stats(
    *,
    against: Annotated[str | None, typer.Option(help="Reference data set, to compare with.")] = None,
    html: Annotated[Path | None, typer.Option(help="File for the page with plots and samples.")] = None,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Describe a data set; with --against, show what was added and removed, and what has drifted."""
    configuration = configured(None, settings)
    config, tasks = configuration.dataset, task_table(configuration.tasks.task)
    against = against or config.reference
    from rich.console import Console

    from florence2.datasets import compare, compute_statistics, ingest
    from florence2.reports import drift_tables, render_statistics, statistics_tables

    manifest = ingest(config, tasks)
    found = compute_statistics(manifest)
    reference = (
        None
        if against is None
        else compute_statistics(ingest(Configuration(source=against, verify=config.verify).dataset, tasks))
    )
    drift = None if reference is None else compare(reference, found)
    if html is not None:
        write_file(html, render_statistics(found, manifest, drift))
    if as_json:
        content = {"statistics": found.to_dict(), "drift": None if drift is None else drift.to_dict()}
        typer.echo(json.dumps(content, indent=2))
        return
    console = Console()
    for table in (*statistics_tables(found), *(drift_tables(drift) if drift is not None else ())):
        console.print(table)


@with_settings("dataset", "tasks", "validation", "split", without=["source", "reference", "frozen_test"])
def freeze(
    dataset: Source,
    file: Annotated[Path, typer.Argument(help="New file, for split.frozen_test.")],
    *,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Write the list of the images of the test split to a file, with which later runs keep that split.

    The data set is validated first. Give the settings of the training, so that the split is that of the training.
    """
    config = configured(dataset, settings)
    if file.exists():
        raise ConfigurationError(f"{file}: exists; a frozen test split is never overwritten, give another file")
    from florence2.adapters import leave_out_backends, validate
    from florence2.datasets import freeze_test, ingest, raise_for_errors, split_dataset

    leave_out_backends()
    clean, found = validate(ingest(config.dataset, task_table(config.tasks.task)), config.validation)
    raise_for_errors(clean, found)
    frozen = freeze_test(split_dataset(clean, config.split))
    frozen.save(file)
    if as_json:
        typer.echo(json.dumps({"file": str(file), "images": len(frozen)}))
        return
    typer.echo(f"{file}: {len(frozen)} test images; set split.frozen_test to this file")


def configured(source: str | None, settings: dict[str, Any]) -> Configuration:
    """Return the configuration of a command whose data set is an argument.

    Raises:
        BadParameter: no data set was given.
    """
    if source is None and "source" not in settings:
        raise typer.BadParameter("give the data set, or a --config that names it", param_hint="DATASET")
    return Configuration(**settings | ({} if source is None else {"source": source}))
