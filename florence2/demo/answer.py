"""What a page shows of an answer: the picture with its outlines drawn, a table, the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from florence2.codec.outlines import Outline, outlines_in
from florence2.codec.tasks import AnswerKind, split_prefix
from florence2.data.images.drawing import class_colours, draw_outlines
from florence2.data.images.files import open_rgb
from florence2.inference.generation import Answerer, Prediction
from florence2.model.processing import Sample

__all__ = ["ShownAnswer", "ask", "show"]

_SIDE, _FONT_SIZE = 720, 22
"""Pixels of the longer side of a drawn picture (larger ones are scaled down, much smaller ones up), and of a label."""


@dataclass(frozen=True)
class ShownAnswer:
    """What one model answered.

    Attributes:
        text: the answer as it was written.
        picture: with the outlines drawn.
        rows: name, confidence (empty where there is none) and place in pixels of each outline; None where answers of
            the task show nothing.
        note: the score of the whole answer, and what is wrong with it.
    """

    text: str
    picture: Image.Image
    rows: list[list[str]] | None
    note: str


def ask(models: Sequence[Answerer], picture: Path, prefix: str) -> list[ShownAnswer]:
    """Let models answer a prompt about a picture; a name has one colour in all of their answers.

    Args:
        models: each with its settings.
        picture: the file of the picture.
        prefix: the prompt.

    Raises:
        AnswerError: the prefix is not a task token with what belongs to it.
        DatasetError: the picture cannot be decoded.
    """
    kind = split_prefix(prefix)[0].answer
    image = open_rgb(picture)
    sample = Sample(picture, prefix, "", image.size)
    return show(image, kind, [next(model.predict([sample])) for model in models])


def show(image: Image.Image, kind: AnswerKind, answers: Sequence[Prediction]) -> list[ShownAnswer]:
    """Draw what answers to one prompt show of a picture, each on a copy of its own."""
    found = [outlines_in(kind, answer.text, image.size, answer.detections) for answer in answers]
    colours = class_colours(outline.name for outlines in found for outline in outlines or ())
    return [_shown(image, *each, colours) for each in zip(answers, found, strict=True)]


def _shown(
    image: Image.Image, answer: Prediction, outlines: tuple[Outline, ...] | None, colours: Mapping[str, str]
) -> ShownAnswer:
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    factor = small.width / image.width
    scaled = [
        replace(outline, points=tuple((x * factor, y * factor) for x, y in outline.points))
        for outline in outlines or ()
    ]
    return ShownAnswer(
        text=answer.text,
        picture=draw_outlines(small, scaled, colours=colours, long_side=_SIDE, font_size=_FONT_SIZE),
        rows=None if outlines is None else [_row(outline) for outline in outlines],
        note=_note(answer),
    )


def _row(outline: Outline) -> list[str]:
    score = "" if outline.confidence is None else f"{outline.confidence:.2f}"
    return [outline.name or "outline", score, " ".join(f"{x:.0f},{y:.0f}" for x, y in _places(outline))]


def _places(outline: Outline) -> tuple[tuple[float, float], ...]:
    """Return two opposite corners of a box, and every point of another outline."""
    x_min, y_min, x_max, y_max = outline.xyxy
    box = ((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))
    return ((x_min, y_min), (x_max, y_max)) if outline.points == box else outline.points


def _note(answer: Prediction) -> str:
    notes = [f"mean probability of its tokens {answer.score:.2f}"]
    if answer.truncated:
        notes.append("cut at the greatest length")
    if answer.malformed:
        notes.append(f"{answer.malformed} of its parts are no boxes")
    return "; ".join(notes)
