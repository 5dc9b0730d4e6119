"""The command predict: answers to a prompt about images, on the terminal, in files and drawn."""

from __future__ import annotations

import logging
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from florence2.cli.settings import with_settings
from florence2.config import ImagesConfig, ModelConfig, PredictionConfiguration
from florence2.errors import ConfigurationError
from florence2.recipes import AUTO, choose_base

if TYPE_CHECKING:
    from florence2.inference import ImageAnswer

__all__ = ["predict"]

logger = logging.getLogger(__name__)

_MOST_BOXES = 40
"""Boxes of an image that are listed on the terminal."""


_PREFIX = str(ImagesConfig.model_fields["prefix"].default)


@with_settings(
    "tasks",
    "model.revision",
    "evaluation",
    without=["metrics", "examples", "resamples"],
    also=(PredictionConfiguration,),
)
def predict(
    images: Annotated[
        list[str] | None,
        typer.Argument(help="Image files, folders of them, or patterns such as '*.jpg'. May be left to --config."),
    ] = None,
    *,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "--model-id",
            help="Folder of a run, a checkpoint or a model, models:/NAME@ALIAS, a built-in base, or a hub id. "
            "(default: as a training chooses its base, by the GPU)",
        ),
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help=f"The prompt: a task token and what belongs to it. (default: {_PREFIX})")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="Folder for the answers and the drawn images.")] = None,
    like: Annotated[
        Path | None,
        typer.Option(
            help="COCO data set whose ids of images and categories coco_results.json takes; images are matched by file "
            "name, classes by name."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write a line of JSON for each image.")] = False,
    **settings: Any,
) -> None:
    """Answer a prompt about images. Ends with status 1 if some of them cannot be decoded."""
    # Settings of the pipeline florence_predict, which a file may hold.
    folder, keep_answers = settings.pop("folder", None), settings.pop("keep_answers", None)
    settings.pop("drawn", None)
    if not images and folder is None:
        raise typer.BadParameter("name images, or a --config with images.folder", param_hint="IMAGES")
    from florence2 import sdk

    chosen = choose_base(ModelConfig(base=model or settings.get("base", AUTO)), str(folder or ""))
    if chosen.reason:
        logger.info("%s", chosen.reason)
    name = chosen.model.base
    answers = _answer_folder(output, keep_answers, None if images else folder)
    if like is not None and answers is None:
        raise typer.BadParameter("sets the ids in coco_results.json: give its folder by --output", param_hint="--like")
    found = sdk.predict(name, images or [folder], prefix or _PREFIX, settings, answers, like)
    for note in found.coco().notes:
        logger.warning("%s", note)
    if as_json:
        for line in found.lines():
            typer.echo(line)
    else:
        for answer in found.answers:
            if answer.prediction is not None:
                typer.echo(_as_text(answer))
    if unseen := sorted({name for answer in found.answers if answer.prediction for name in answer.prediction.unseen}):
        logger.warning("classes that the training of the model never saw, marked unseen: %s", ", ".join(unseen))
    unreadable = [answer for answer in found.answers if answer.prediction is None]
    for answer in unreadable:
        logger.error("%s: %s", answer.image, answer.error)
    if unreadable:
        raise typer.Exit(1)


def _answer_folder(output: Path | str | None, keep_answers: bool | None, images: str | None) -> Path | None:
    """Return the folder for the answers: that of --output, else the one that a file names for the pipeline.

    Raises:
        ConfigurationError: it is not a local folder.
    """
    if isinstance(output, Path) or (output is None and keep_answers is None):
        return output
    from florence2.inference import answers_location
    from florence2.storage import redact

    keep = {} if keep_answers is None else {"keep_answers": keep_answers}
    section = PredictionConfiguration(folder=images or ".", output=output, **keep).images
    location = answers_location(section)
    if location is None or (section.output is None and images is None):
        return None
    if "://" in location:
        raise ConfigurationError(f"images.output {redact(location)}: is not a local folder; give one by --output")
    return Path(location)


def _as_text(answer: ImageAnswer) -> str:
    """Return an answer for the terminal: a line for each box, or the text."""
    prediction = answer.prediction
    assert prediction is not None
    notes = ["the answer reached the length limit and was cut"] * prediction.truncated
    if prediction.malformed:
        notes.append(prediction.defect)
    note = f"  ({'; '.join(notes)})" if notes else ""
    if prediction.detections is None:
        return f"{answer.image}: {prediction.text}{note}"
    count = len(prediction.detections)
    lines = [f"{answer.image}: {count} {'box' if count == 1 else 'boxes'}{note}"]
    for name, score, corners in islice(prediction.detections.rows(), _MOST_BOXES):
        title = f"{name} (unseen)" if name in prediction.unseen else name
        lines.append(f"  {score:.2f}  {title}  {' '.join(f'{value:.1f}' for value in corners)}")
    if count > _MOST_BOXES:
        lines.append(f"  ... and {count - _MOST_BOXES} more; --json and --output have all")
    return "\n".join(lines)
