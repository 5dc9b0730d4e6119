"""The images of the page, each embedded once as a thumbnail, and the boxes, quadrilaterals and polygons on them.

The page stays small whatever the data set: a thumbnail has at most 320 pixels a side and at most 90 kB, that of pure
noise; photographs have about a quarter of it. An image whose text is read, or that is long and narrow, has 1100 pixels,
so that a person can read it as well. By default a page has at most 84 images.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from PIL import Image

from florence2.codec import Outline, outlines_in
from florence2.evaluation import Box, EvaluatedSample, Example, ExampleAnswer, SelectedExamples
from florence2.images import class_colours, contrasting_colour, open_rgb

__all__ = ["DrawnBox", "EmbeddedImage", "Panel", "embed", "has_locations", "panels", "thumbnail", "thumbnails"]

THUMBNAIL = 320
"""Greatest length of the longer side of an embedded image, in pixels."""
READABLE = 1100
"""The same of an image of which the text must be readable."""
_NARROW = 2.0
"""Ratio of the sides from which an image is one of these: at 320 pixels little of it would be left."""
_PIXEL_ART = 128
"""Images up to this size in pixels are embedded without loss, 65 kB at most, and enlarged without smoothing."""
_QUALITY = 80
_READABLE_QUALITY = 60
"""JPEG quality of thumbnails, and of those of ``READABLE`` size."""
_REGION = "#1c6dd0"
"""Colour of texts and outlines, which have no class."""
_NO_CLASS = "#868e96"
"""Colour of names that the targets do not have: a colour of theirs would suggest that both are related."""


@dataclass(frozen=True)
class EmbeddedImage:
    """An embedded image; the page refers to it by ``key``."""

    key: str
    width: int
    height: int
    uri: str | None
    pixelated: bool


@dataclass(frozen=True)
class DrawnBox:
    """A box in per cent of its image, or the box around an outline: ``points`` of an SVG polygon in its pixels."""

    left: float
    top: float
    width: float
    height: float
    name: str
    confidence: float | None
    colour: str
    ink: str
    right: bool
    points: str = ""


@dataclass(frozen=True)
class Panel:
    """An image with its annotations, or with the boxes of an answer."""

    title: str
    boxes: list[DrawnBox]
    summary: str


def thumbnail(image: Image.Image, *, reads_text: bool = False) -> Image.Image:
    """Return an image as RGB, scaled down to what the page embeds.

    Args:
        image: of any size.
        reads_text: whether a task is to read its text.
    """
    small = image.convert("RGB")
    narrow = max(image.size) > _NARROW * min(image.size)
    side = READABLE if reads_text or narrow else THUMBNAIL
    small.thumbnail((side, side))
    return small


def thumbnails(examples: SelectedExamples, samples: Sequence[EvaluatedSample]) -> dict[str, Image.Image]:
    """Read the images of the samples that a page shows.

    Args:
        examples: the samples.
        samples: all of the split, with their image files.

    Returns:
        The thumbnail of each image by ``Example.image``.

    Raises:
        DatasetError: an image cannot be read.
    """
    files = {each.image: each.sample.image for each in samples}
    reading: dict[str, bool] = {}
    for each in (*examples.worst, *examples.best, *examples.spread):
        reading[each.image] = reading.get(each.image, False) or each.task.reads_text
    return {name: thumbnail(open_rgb(files[name]), reads_text=reads) for name, reads in reading.items()}


def embed(examples: Iterable[Example], images: Mapping[str, Image.Image]) -> dict[str, EmbeddedImage]:
    """Return each image once, even if several examples show it.

    Args:
        examples: the samples that are shown.
        images: ``thumbnail`` of the images by their path; for a missing one the page shows an empty frame.
    """
    embedded: dict[str, EmbeddedImage] = {}
    for example in examples:
        if example.image not in embedded:
            image = images.get(example.image)
            embedded[example.image] = EmbeddedImage(
                key=f"image-{len(embedded)}",
                width=example.width,
                height=example.height,
                uri=None if image is None else _data_uri(image),
                pixelated=max(example.width, example.height) <= _PIXEL_ART,
            )
    return embedded


def has_locations(example: Example) -> bool:
    """Return whether the answers have locations, which can be drawn on the image."""
    return example.truth is not None or _outlines(example, "") is not None


def panels(example: Example, titles: Mapping[str, str], colours: Mapping[str, str] | None = None) -> list[Panel]:
    """Return the panels of an example: its image with the annotated boxes, and with those of each answer.

    Args:
        example: one that ``has_locations``.
        titles: titles of the panels, in their order, by ``truth``, ``before``, ``after``; a panel without a title is
            left out.
        colours: of the classes; by default those of the classes in the truth.
    """
    answers: dict[str, ExampleAnswer | None] = {"before": example.before, "after": example.after}
    if example.truth is None:
        texts = {"truth": example.target} | {role: answer.text for role, answer in answers.items() if answer}
        return [_outline_panel(title, example, texts[role]) for role, title in titles.items() if role in texts]
    truth = example.truth
    colours = class_colours(box.name for box in truth) if colours is None else colours
    drawn = []
    for role, title in titles.items():
        answer = answers.get(role)
        if role == "truth":
            drawn.append(Panel(title, _draw(truth, example, colours), _count(len(truth), "box", "boxes")))
        elif answer is not None:
            found = sum(box.right for box in answer.boxes)
            summary = f"{found} of {len(truth)} found, {len(answer.boxes) - found} wrong"
            drawn.append(Panel(title, _draw(answer.boxes, example, colours), summary))
    return drawn


def _outlines(example: Example, text: str) -> tuple[Outline, ...] | None:
    return outlines_in(example.task.answer, text, (example.width, example.height))


def _outline_panel(title: str, example: Example, text: str) -> Panel:
    """Return an image with quadrilaterals or polygons, which are not evaluated one by one."""
    outlines = _outlines(example, text) or ()
    boxes = [Box(outline.name or "outline", outline.xyxy, True) for outline in outlines]
    drawn = _draw(boxes, example, {box.name: _REGION for box in boxes})
    points = [" ".join(f"{x:.1f},{y:.1f}" for x, y in outline.points) for outline in outlines]
    regions = [replace(box, points=line) for box, line in zip(drawn, points, strict=True)]
    return Panel(title, regions, _count(len(regions), "region", "regions"))


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _data_uri(image: Image.Image) -> str:
    small = max(image.size) <= _PIXEL_ART
    buffer = io.BytesIO()
    quality = _QUALITY if max(image.size) <= THUMBNAIL else _READABLE_QUALITY
    image.save(buffer, format="PNG" if small else "JPEG", optimize=True, quality=quality)
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
                ink=contrasting_colour(colour),
                right=box.right,
            )
        )
    return drawn
