"""The pictures of the page, embedded once each as thumbnails, and the boxes on them.

The page stays small whatever the data set: a thumbnail has at most 320 pixels a side and weighs at most 90 kB, which
is pure noise; photographs take about a quarter of it. By default a page has at most 84 pictures.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from florence2.data.images.drawing import class_colours, ink_on
from florence2.evaluation.examples import Box, Example, ExampleAnswer

__all__ = ["DrawnBox", "Panel", "Picture", "embed", "panels", "thumbnail"]

THUMBNAIL = 320
"""Pixels of the longer side of an embedded picture at most."""
_PIXEL_ART = 128
"""Pictures up to this size are kept without loss, 65 kB at most, and enlarged without smoothing."""
_QUALITY = 80
_NO_CLASS = "#868e96"
"""Colour of names that the targets do not have: one of theirs would suggest a kinship that is not there."""


@dataclass(frozen=True)
class Picture:
    """An embedded picture; the page refers to it by ``key``."""

    key: str
    width: int
    height: int
    uri: str | None
    pixelated: bool


@dataclass(frozen=True)
class DrawnBox:
    """A box in per cent of its picture."""

    left: float
    top: float
    width: float
    height: float
    name: str
    confidence: float | None
    colour: str
    ink: str
    right: bool


@dataclass(frozen=True)
class Panel:
    """A picture with boxes."""

    title: str
    boxes: list[DrawnBox]
    summary: str


def thumbnail(picture: Image.Image) -> Image.Image:
    """Return a picture as RGB, scaled down to what the page embeds."""
    small = picture.convert("RGB")
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def embed(examples: Iterable[Example], pictures: Mapping[str, Image.Image]) -> dict[str, Picture]:
    """Return each picture once, however many examples show it.

    Args:
        examples: what is shown.
        pictures: ``thumbnail`` of the pictures by their path; for a missing one the page shows an empty frame.
    """
    embedded: dict[str, Picture] = {}
    for example in examples:
        if example.image not in embedded:
            picture = pictures.get(example.image)
            embedded[example.image] = Picture(
                key=f"picture-{len(embedded)}",
                width=example.width,
                height=example.height,
                uri=None if picture is None else _data_uri(picture),
                pixelated=max(example.width, example.height) <= _PIXEL_ART,
            )
    return embedded


def panels(example: Example, titles: Mapping[str, str], colours: Mapping[str, str] | None = None) -> list[Panel]:
    """Return an example with boxes as annotated and as answered.

    Args:
        example: has true boxes.
        titles: what the panels are called, in their order: ``truth``, ``before``, ``after``; those not named are
            left out.
        colours: of the classes; by default of those of the truth.
    """
    truth = example.truth or ()
    colours = class_colours(box.name for box in truth) if colours is None else colours
    answers: dict[str, ExampleAnswer | None] = {"before": example.before, "after": example.after}
    drawn = []
    for role, title in titles.items():
        answer = answers.get(role)
        if role == "truth":
            drawn.append(Panel(title, _draw(truth, example, colours), _boxes(len(truth))))
        elif answer is not None:
            found = sum(box.right for box in answer.boxes)
            summary = f"{found} of {len(truth)} found, {len(answer.boxes) - found} wrong"
            drawn.append(Panel(title, _draw(answer.boxes, example, colours), summary))
    return drawn


def _boxes(count: int) -> str:
    return f"{count} box" if count == 1 else f"{count} boxes"


def _data_uri(picture: Image.Image) -> str:
    small = max(picture.size) <= _PIXEL_ART
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG" if small else "JPEG", optimize=True, quality=_QUALITY)
    return f"data:image/{'png' if small else 'jpeg'};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _draw(boxes: Sequence[Box], example: Example, colours: Mapping[str, str]) -> list[DrawnBox]:
    drawn = []
    for box in boxes:
        x_min, y_min, x_max, y_max = box.xyxy
        colour = colours.get(box.name, _NO_CLASS)
        drawn.append(
            DrawnBox(
                left=100 * x_min / example.width,
                top=100 * y_min / example.height,
                width=100 * (x_max - x_min) / example.width,
                height=100 * (y_max - y_min) / example.height,
                name=box.name,
                confidence=box.confidence,
                colour=colour,
                ink=ink_on(colour),
                right=box.right,
            )
        )
    return drawn
