"""The report as one HTML page that needs nothing besides itself: no script, no font, no picture from elsewhere.

The page is laid out in ``page.html``; here the figures and answers are turned into what it shows.
"""

from __future__ import annotations

import base64
import functools
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from PIL import Image

from florence2.codec.answers import parse_detections
from florence2.codec.detections import Detections
from florence2.codec.tasks import AnswerKind, split_prefix
from florence2.data.images.drawing import class_colours, ink_on
from florence2.data.page_templates import page_environment
from florence2.errors import AnswerError
from florence2.evaluation.answers import vqa_accuracy
from florence2.evaluation.figures import Figure, figure_named, in_order
from florence2.evaluation.matching import matched
from florence2.evaluation.report import Example, ModelEvaluation

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_html"]

_LONG_SIDE = 640
"""Larger pictures are scaled down to this many pixels, so that a page of photographs can still be mailed."""
_PIXEL_ART = 200
"""Pictures up to this size are kept without loss and enlarged without smoothing."""
_DASH, _MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


@dataclass(frozen=True)
class _Change:
    """A figure before and after."""

    figure: Figure
    before: float | None
    after: float | None

    @property
    def delta(self) -> float | None:
        return None if self.before is None or self.after is None else self.after - self.before

    @property
    def verdict(self) -> str:
        """Return "better", "worse" or "same"; a change that three digits do not show is none."""
        if self.before is None or self.after is None or abs(self.after - self.before) < 0.0005:
            return "same"
        return "better" if self.figure.improves(self.before, self.after) else "worse"


@dataclass(frozen=True)
class _Picture:
    """An embedded picture; the page refers to it by ``key``."""

    key: str
    width: int
    height: int
    uri: str | None
    pixelated: bool


@dataclass(frozen=True)
class _Box:
    """A box in per cent of its picture, and its label."""

    left: float
    top: float
    width: float
    height: float
    label: str
    colour: str
    ink: str
    right: bool


@dataclass(frozen=True)
class _Panel:
    """One of the three pictures of a detection example."""

    title: str
    boxes: list[_Box]
    summary: str
    written: str


@dataclass(frozen=True)
class _Answer:
    """An answer in words; ``right`` is None where answers are not simply right or wrong."""

    text: str
    right: bool | None


def render_html(
    before: ModelEvaluation,
    after: ModelEvaluation,
    examples: Sequence[Example],
    pictures: Mapping[str, Image.Image],
    facts: Mapping[str, str],
) -> str:
    """Return the report of two models as a self-contained HTML page.

    Args:
        before: the base model.
        after: the fine-tuned model.
        examples: samples with the answers of both.
        pictures: the images of the examples by ``Example.image``; a missing one is shown as an empty frame.
        facts: lines for the end of the page: what the figures rest on.

    Returns:
        The page. Every text of users and models is escaped.
    """
    embedded = _embed(examples, pictures)
    detections = [example for example in examples if _kind(example.prefix) is AnswerKind.BOXES]
    others = [example for example in examples if _kind(example.prefix) is not AnswerKind.BOXES]
    colours = class_colours(name for example in detections for name in _boxes_of(example.target, example).class_name)
    changes = _changes(before.metrics, after.metrics)
    return (
        _environment()
        .get_template("page.html")
        .render(
            before=before,
            after=after,
            headlines=[change for change in changes if change.figure.headline],
            changes=changes,
            classes=_classes(before.per_class, after.per_class),
            pictures=list(embedded.values()),
            detections=[(example, embedded[example.image], _panels(example, colours)) for example in detections],
            answers=[(example, embedded[example.image], *_answers(example)) for example in others],
            facts=dict(facts),
        )
    )


@functools.cache
def _environment() -> Environment:
    return page_environment(
        "florence2.evaluation",
        {
            "figure": lambda value: _DASH if value is None else f"{value:.3f}",
            "signed": lambda value: "" if value is None else f"{value:+.3f}".replace("-", _MINUS),
            # Two folders up a path says nothing to a reader, and it may say too much about the machine.
            "short": lambda path: "/".join(PurePosixPath(path).parts[-2:]),
            "percent": lambda value: f"{min(max(value or 0.0, 0.0), 1.0) * 100:.1f}%",
        },
    )


def _changes(before: Mapping[str, float], after: Mapping[str, float]) -> list[_Change]:
    return [_Change(figure_named(name), before.get(name), after.get(name)) for name in in_order([*before, *after])]


def _classes(
    before: Mapping[str, Mapping[str, float]], after: Mapping[str, Mapping[str, float]]
) -> list[tuple[str, int | None, _Change, _Change]]:
    """Return class, number of truths, AP50 and AP of each class, the weakest after fine-tuning first."""
    rows = []
    for name in sorted({*before, *after}):
        old, new = before.get(name, {}), after.get(name, {})
        truths = new.get("truths", old.get("truths"))
        ap50 = _Change(figure_named("map50"), old.get("ap50"), new.get("ap50"))
        ap = _Change(figure_named("map"), old.get("ap"), new.get("ap"))
        rows.append((name, None if truths is None else int(truths), ap50, ap))
    return sorted(rows, key=lambda row: (row[2].after or 0.0, row[3].after or 0.0))


def _embed(examples: Iterable[Example], pictures: Mapping[str, Image.Image]) -> dict[str, _Picture]:
    """Return each picture once, however many examples show it."""
    embedded: dict[str, _Picture] = {}
    for example in examples:
        if example.image not in embedded:
            picture = pictures.get(example.image)
            embedded[example.image] = _Picture(
                key=f"picture-{len(embedded)}",
                width=example.width,
                height=example.height,
                uri=None if picture is None else _data_uri(picture),
                pixelated=max(example.width, example.height) <= _PIXEL_ART,
            )
    return embedded


def _data_uri(picture: Image.Image) -> str:
    small = max(picture.size) <= _PIXEL_ART
    picture = picture.convert("RGB")
    picture.thumbnail((_LONG_SIDE, _LONG_SIDE))
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG" if small else "JPEG", optimize=True, quality=85)
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _kind(prefix: str) -> AnswerKind:
    try:
        return split_prefix(prefix)[0].answer
    except AnswerError:
        return AnswerKind.TEXT


def _boxes_of(text: str, example: Example) -> Detections:
    return parse_detections(text, (example.width, example.height))


def _panels(example: Example, colours: Mapping[str, str]) -> list[_Panel]:
    target = _boxes_of(example.target, example)
    panels = [_Panel("Target", _draw(target, example, colours, [True] * len(target)), "", example.target)]
    for title, text in (("Before", example.before), ("After", example.after)):
        found = _boxes_of(text, example)
        right = matched(found, target).tolist()
        summary = f"{sum(right)} of {len(target)} found, {len(found) - sum(right)} wrong"
        panels.append(_Panel(title, _draw(found, example, colours, right), summary, text))
    return panels


def _draw(detections: Detections, example: Example, colours: Mapping[str, str], right: Sequence[bool]) -> list[_Box]:
    boxes = []
    for name, (x_min, y_min, x_max, y_max), is_right in zip(
        detections.class_name, detections.xyxy.tolist(), right, strict=True
    ):
        # Classes that the truth does not know are grey: a colour would suggest a kinship that is not there.
        colour = colours.get(name, "#868e96")
        boxes.append(
            _Box(
                left=100 * x_min / example.width,
                top=100 * y_min / example.height,
                width=100 * (x_max - x_min) / example.width,
                height=100 * (y_max - y_min) / example.height,
                label=name,
                colour=colour,
                ink=ink_on(colour),
                right=is_right,
            )
        )
    return boxes


def _answers(example: Example) -> tuple[_Answer, _Answer]:
    """Return both answers; those to questions are right or wrong, other texts just stand there."""
    marked = _kind(example.prefix) is AnswerKind.ANSWER
    before, after = (
        _Answer(text, vqa_accuracy(text, [example.target]) == 1.0 if marked else None)
        for text in (example.before, example.after)
    )
    return before, after
