"""Draw the images in the README: test images as annotated, as the base answers, as the fine-tuned model answers.

    make run
    python -m benchmarks.before_after outputs/quickstart docs/images/before_after.png
    florence2 train od_bccd/florence2
    python -m benchmarks.before_after runs/1/report docs/images/photographs.png --dataset od_bccd/florence2 \
        --rows 2 --side 320

It draws what the evaluation report of that run recorded; nothing is chosen by hand: the first detections.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from florence2.codec.detections import Detections
from florence2.datasets.location import locate
from florence2.evaluation.examples import Box, Example
from florence2.evaluation.report import EvaluationReport
from florence2.images.drawing import class_colours, draw_detections
from florence2.images.files import open_rgb

__all__ = ["draw"]

_MARGIN, _CAPTION = 12, 18
"""Pixels: around each image, and of the height of a caption."""


def draw(report: EvaluationReport, images: Path, rows: int = 3, side: int = 256) -> Image.Image:
    """Return an image with a row for each sample: annotated, before, after.

    Args:
        report: of a finished run.
        images: folder of the data set.
        rows: how many samples.
        side: longer side of each image in pixels.
    """
    examples = [example for example in report.examples if example.prefix == "<OD>"][:rows]
    strips = [_strip(example, images, side) for example in examples]
    grid = Image.new("RGB", (max(s.width for s in strips), sum(s.height for s in strips)), "white")
    top = 0
    for strip in strips:
        grid.paste(strip, (0, top))
        top += strip.height
    return grid


def _strip(example: Example, images: Path, side: int) -> Image.Image:
    image = open_rgb(images / example.image)
    before = example.before.boxes if example.before else ()
    boxes = {"annotated": example.truth or (), "base": before, "fine-tuned": example.after.boxes}
    found = {title: _detections(each) for title, each in boxes.items()}
    colours = class_colours(name for detections in found.values() for name in detections.class_name)
    return _side_by_side(
        [
            (title, draw_detections(image, boxes, colours=colours, long_side=side, font_size=13))
            for title, boxes in found.items()
        ]
    )


def _side_by_side(panels: Sequence[tuple[str, Image.Image]]) -> Image.Image:
    """Put images next to each other, a caption over each."""
    font = ImageFont.load_default(_CAPTION)
    header = _CAPTION + _MARGIN
    width = sum(image.width for _, image in panels) + _MARGIN * (len(panels) + 1)
    height = max(image.height for _, image in panels) + header + 2 * _MARGIN
    grid = Image.new("RGB", (width, height), "#ffffff")
    draw = ImageDraw.Draw(grid)
    x = _MARGIN
    for caption, image in panels:
        draw.text((x, _MARGIN), caption, fill="#1b1f24", font=font)
        grid.paste(image, (x, _MARGIN + header))
        x += image.width + _MARGIN
    return grid


def _detections(boxes: Sequence[Box]) -> Detections:
    return Detections(np.array([box.xyxy for box in boxes], dtype=np.float32), tuple(box.name for box in boxes))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path, help="folder that a run wrote, such as outputs/quickstart")
    parser.add_argument("image", type=Path, help="PNG file to write")
    parser.add_argument("--dataset", default="builtin:cards", help="the data set of that run")
    parser.add_argument("--rows", type=int, default=3, help="samples")
    parser.add_argument("--side", type=int, default=256, help="longer side of each image in pixels")
    arguments = parser.parse_args()
    arguments.image.parent.mkdir(parents=True, exist_ok=True)
    grid = draw(EvaluationReport.load(arguments.run), locate(arguments.dataset), arguments.rows, arguments.side)
    grid.quantize(128).save(arguments.image, optimize=True)
    print(arguments.image)


if __name__ == "__main__":
    main()
