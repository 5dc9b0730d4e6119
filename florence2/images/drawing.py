"""Drawings of answers: colours of classes, outlines and labels drawn with Pillow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PIL import Image, ImageDraw, ImageFont

from florence2.codec import Detections, Outline, outlines_of_boxes

__all__ = ["class_colours", "contrasting_colour", "draw_detections", "draw_outlines"]

_PALETTE = (
    "#1c6dd0",
    "#c2410c",
    "#0f7b3f",
    "#be185d",
    "#6d3fd4",
    "#8a6100",
    "#0b7285",
    "#9c36b5",
    "#4d7c0f",
    "#a0522d",
    "#3b5bdb",
    "#c92a2a",
)


def class_colours(class_names: Iterable[str]) -> dict[str, str]:
    """Return a colour ``#rrggbb`` for each class, the same for the same set of classes."""
    return {name: _PALETTE[index % len(_PALETTE)] for index, name in enumerate(sorted(set(class_names)))}


def contrasting_colour(colour: str) -> str:
    """Return black or white, whichever has the higher contrast on ``#rrggbb`` (relative luminance of WCAG 2)."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"


def draw_detections(
    image: Image.Image,
    detections: Detections,
    *,
    colours: Mapping[str, str] | None = None,
    long_side: int = 448,
    font_size: int = 15,
) -> Image.Image:
    """Draw boxes in pixels of ``image`` over it, as ``draw_outlines`` does."""
    outlines = outlines_of_boxes(detections)
    return draw_outlines(image, outlines, colours=colours, long_side=long_side, font_size=font_size)


def draw_outlines(
    image: Image.Image,
    outlines: Sequence[Outline],
    *,
    colours: Mapping[str, str] | None = None,
    long_side: int = 448,
    font_size: int = 15,
) -> Image.Image:
    """Draw boxes, quadrilaterals and polygons with their names over an image.

    A small image is first enlarged by a whole factor, without smoothing, so that a label on an image of 64 pixels can
    be read.

    Args:
        image: the image, of any mode.
        outlines: in pixels of ``image``; the label is the title and the confidence, where there is one.
        colours: colour of each name; by default ``class_colours`` of the names drawn.
        long_side: least pixels of the longer side, about; larger images keep their size.
        font_size: height of the labels in pixels.

    Returns:
        A new RGB image.
    """
    factor = max(1, round(long_side / max(image.size)))
    canvas = image.convert("RGB").resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    colours = colours if colours is not None else class_colours(outline.name for outline in outlines)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(font_size)
    for outline in outlines:
        colour = colours.get(outline.name, _PALETTE[0])
        _draw_line(draw, [(x * factor, y * factor) for x, y in outline.points], colour, max(2, font_size // 5))
        label = outline.title
        if outline.confidence is not None:
            label = f"{label} {outline.confidence:.2f}".strip()
        if label:
            x_min, y_min, _, _ = outline.xyxy
            _draw_label(draw, label, (x_min * factor, y_min * factor), canvas.size, colour, font)
    return canvas


def _draw_line(draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], colour: str, thickness: int) -> None:
    """Draw a closed line: inside an upright box, else along its points."""
    (left, top), (right, bottom) = points[0], points[2]
    if list(points) == [(left, top), (right, top), (right, bottom), (left, bottom)] and left <= right and top <= bottom:
        draw.rectangle((left, top, right, bottom), outline=colour, width=thickness)
    else:
        draw.line([*points, points[0], points[1]], fill=colour, width=thickness, joint="curve")


def _draw_label(
    draw: ImageDraw.ImageDraw,
    label: str,
    corner: tuple[float, float],
    size_wh: tuple[int, int],
    colour: str,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
) -> None:
    """Draw a label above the corner of its box, and inside the image."""
    left, top, right, bottom = draw.textbbox((0, 0), label, font=font)
    width, height = right + 2 * left + 8, bottom + 6
    x = max(0.0, min(corner[0], size_wh[0] - width))
    y = corner[1] - height if corner[1] >= height else corner[1]
    draw.rectangle((x, y, x + width, y + height), fill=colour)
    draw.text((x + 4, y + 3 - top / 2), label, fill=contrasting_colour(colour), font=font)
