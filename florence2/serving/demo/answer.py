"""What a page shows of an answer: the image with its outlines drawn, a table, the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from florence2.codec import AnswerKind, Outline, outlines_in
from florence2.images import class_colours, draw_outlines, open_rgb
from florence2.inference import Prediction, Predictor, keep_confident
from florence2.model import Sample

__all__ = ["ShownAnswer", "answer_prompt", "show"]

_SIDE, _FONT_SIZE = 720, 22
"""Pixels of the longer side of a drawn image (larger ones are scaled down, much smaller ones up), and of a label."""


@dataclass(frozen=True)
class ShownAnswer:
    """The answer of one model, as the page shows it.

    Attributes:
        text: the answer as it was generated.
        image: a copy with the outlines drawn.
        rows: name, confidence (empty where there is none) and corners in pixels of each outline; None for a task
            without outlines.
        note: the score of the whole answer, and its defects.
    """

    text: str
    image: Image.Image
    rows: list[list[str]] | None
    note: str


def answer_prompt(
    models: Sequence[Predictor], image: Path, prefix: str, min_confidence: float = 0.0
) -> list[ShownAnswer]:
    """Return the answers of models to a prompt about an image; a name has one colour in all answers.

    Args:
        models: each with its settings.
        image: the file of the image.
        prefix: the prompt.
        min_confidence: least confidence of a box that is shown.

    Raises:
        AnswerError: the prefix is not a task token with what belongs to it.
        DatasetError: the image cannot be decoded.
    """
    opened = open_rgb(image)
    samples = [Sample(image, prefix, "", opened.size, model.tasks) for model in models]
    kind = samples[0].task.answer
    answers = [
        _confident(next(model.predict([sample])), min_confidence) for model, sample in zip(models, samples, strict=True)
    ]
    return show(opened, kind, answers)


def _confident(answer: Prediction, min_confidence: float) -> Prediction:
    if answer.detections is None:
        return answer
    return replace(answer, detections=keep_confident(answer.detections, min_confidence))


def show(image: Image.Image, kind: AnswerKind, answers: Sequence[Prediction]) -> list[ShownAnswer]:
    """Draw the outlines of answers to one prompt, each on a copy of the image."""
    found = [outlines_in(kind, answer.text, image.size, answer.detections, answer.unseen) for answer in answers]
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
        image=draw_outlines(small, scaled, colours=colours, long_side=_SIDE, font_size=_FONT_SIZE),
        rows=None if outlines is None else [_row(outline) for outline in outlines],
        note=_note(answer),
    )


def _row(outline: Outline) -> list[str]:
    score = "" if outline.confidence is None else f"{outline.confidence:.2f}"
    return [outline.title or "outline", score, " ".join(f"{x:.0f},{y:.0f}" for x, y in _corners(outline))]


def _corners(outline: Outline) -> tuple[tuple[float, float], ...]:
    """Return two opposite corners of a box, and every point of another outline."""
    x_min, y_min, x_max, y_max = outline.xyxy
    box = ((x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max))
    return ((x_min, y_min), (x_max, y_max)) if outline.points == box else outline.points


def _note(answer: Prediction) -> str:
    notes = [f"mean probability of its tokens {answer.score:.2f}"]
    if answer.truncated:
        notes.append("cut at the length limit")
    if answer.malformed:
        notes.append(answer.defect)
    if answer.unseen:
        notes.append("unseen: a class that the training never saw")
    return "; ".join(notes)
