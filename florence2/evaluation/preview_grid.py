"""A grid of images with the answers of a model, for a look during a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from PIL import Image, ImageDraw, ImageFont

from florence2.codec import outlines_in
from florence2.images import class_colours, draw_outlines, open_rgb
from florence2.inference import Prediction
from florence2.model import Sample

__all__ = ["draw_preview_grid"]

_SIDE, _MARGIN, _COLUMNS = 320, 12, 4
"""Pixels of a cell and of the margin around it, and cells in a row: annotated and predicted, twice."""
_FONT_SIZE, _LINES = 15, 3
"""Of a caption."""
_CAPTION_HEIGHT = _LINES * (_FONT_SIZE + 4)
_PAPER, _INK = "#ffffff", "#1b1f24"

_Panel = tuple[tuple[str, ...], Image.Image]


def draw_preview_grid(samples: Sequence[Sample], predictions: Sequence[Prediction]) -> Image.Image:
    """Draw samples with the annotated and the predicted answer.

    Args:
        samples: at least one; where the answer can be drawn, it takes two cells: annotated and predicted.
        predictions: one for each sample.

    Returns:
        An RGB image: images in rows of at most four, a caption over each.
    """
    rows: list[list[_Panel]] = [[]]
    for sample, prediction in zip(samples, predictions, strict=True):
        panels = _panels(sample, prediction)
        if len(rows[-1]) + len(panels) > _COLUMNS:  # both cells of a sample are in one row
            rows.append([])
        rows[-1] += panels
    width, height = _SIDE + _MARGIN, _CAPTION_HEIGHT + _SIDE + _MARGIN
    grid = Image.new("RGB", (max(map(len, rows)) * width + _MARGIN, len(rows) * height + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(grid)
    for row, panels in enumerate(rows):
        for column, (lines, image) in enumerate(panels):
            left, top = _MARGIN + column * width, _MARGIN + row * height
            draw.multiline_text((left, top), "\n".join(map(_short, lines)), fill=_INK, font=_font())
            grid.paste(image, (left, top + _CAPTION_HEIGHT))
    return grid


def _panels(sample: Sample, prediction: Prediction) -> list[_Panel]:
    image, kind = _fitted(open_rgb(sample.image)), sample.task.answer
    boxes, factor = prediction.detections, image.width / sample.resolution_wh[0]
    if boxes is not None:
        boxes = replace(boxes, xyxy=boxes.xyxy * factor)
    right = outlines_in(kind, sample.suffix, image.size)
    answered = outlines_in(kind, prediction.text, image.size, boxes)
    if right is None or answered is None:
        return [((sample.prefix, f"right: {sample.suffix}", f"answered: {prediction.text}"), image)]
    colours = class_colours(outline.name for outline in (*right, *answered))
    panels: list[_Panel] = []
    for title, outlines in (("right", right), ("answered", answered)):
        lines = (sample.prefix, f"{title}: {len(outlines)}")
        drawn = draw_outlines(image, outlines, colours=colours, long_side=_SIDE, font_size=_FONT_SIZE)
        panels.append((lines, drawn))
    return panels


def _fitted(image: Image.Image) -> Image.Image:
    """Scale an image so that it fills its cell in one direction."""
    factor = _SIDE / max(image.size)
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.NEAREST if factor >= 2 else Image.Resampling.BICUBIC)


def _short(line: str) -> str:
    """Cut a line where it would leave its cell."""
    line, font = line.replace("\n", " ")[:_SIDE], _font()  # no letter is narrower than a pixel
    if font.getlength(line) <= _SIDE:
        return line
    kept = next(end for end in range(len(line), -1, -1) if font.getlength(f"{line[:end]}...") <= _SIDE)
    return f"{line[:kept]}..."


@cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(_FONT_SIZE)
