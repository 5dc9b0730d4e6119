"""The command convert. Its choices of ``--to`` are the formats with a writer, so it imports the readers and writers."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from florence2.cli.datasets import AsJson, Source, configured
from florence2.cli.settings import with_settings
from florence2.codec import task_table
from florence2.config import ValidationConfig
from florence2.datasets import writable_formats

if TYPE_CHECKING:
    from florence2.datasets import DatasetManifest

    WritableFormat = str
else:
    WritableFormat = Literal[writable_formats()]

__all__ = ["convert"]


@with_settings("dataset", "tasks", "validation", without=["source", "reference"])
def convert(
    source: Source,
    target: Annotated[Path, typer.Argument(help="New folder.")],
    *,
    to: Annotated[WritableFormat, typer.Option(help="The format to write.")],
    skip_unsupported: Annotated[
        bool, typer.Option("--skip-unsupported", help="Leave out samples that the format cannot hold, and count them.")
    ] = False,
    as_json: AsJson = False,
    **settings: Any,
) -> None:
    """Write a data set in another format; boxes stay in their location bins.

    With a setting of validation, such as --on-error repair, the data set is validated first, and the repaired and valid
    samples are written. Without one, all samples are written as they are.
    """
    config = configured(source, settings)
    from rich.console import Console
    from rich.progress import Progress

    from florence2.datasets import convert, ingest

    manifest = ingest(config.dataset, task_table(config.tasks.task))
    if settings.keys() & ValidationConfig.model_fields.keys():
        manifest = _validated(manifest, config.validation, as_json)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("images")
        done = convert(
            manifest,
            target,
            to,
            skip_unsupported=skip_unsupported,
            progress=lambda finished, total: bar.update(task, completed=finished, total=total),
        )
    if as_json:
        typer.echo(json.dumps({**asdict(done), "target": str(done.target), "format": to}, indent=2))
        return
    typer.echo(f"{done.target}: {done.images} images, {done.rows} samples as {to}")
    if to == "jsonl" and done.without_objects:
        typer.echo(f"{done.without_objects} images without objects are left out: jsonl has no line for them")
    for reason, count in done.skipped.items():
        typer.echo(f"left out: {count} of {reason}")


def _validated(manifest: DatasetManifest, config: ValidationConfig, as_json: bool) -> DatasetManifest:
    """Return the valid and repaired samples of a data set, and print how many were repaired and quarantined."""
    from florence2.adapters import validate
    from florence2.datasets import raise_for_errors

    clean, found = validate(manifest, config)
    raise_for_errors(clean, found)
    noun = "sample" if found.rows_repaired == 1 else "samples"
    typer.echo(f"{found.rows_repaired} {noun} repaired, {found.rows_quarantined} quarantined", err=as_json)
    return clean
