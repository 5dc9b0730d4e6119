"""``ImageToWrite``: an image of a new data set with its samples, as every writer takes it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from florence2.codec import BINS, CLASS_TASKS, dequantize, scan_boxes
from florence2.errors import DatasetError

__all__ = ["Box", "ImageToWrite", "class_names", "pixel_boxes", "unique_stems"]

_DECIMALS = 4  # a tenth of the width of a bin, where an image is a pixel wide


@dataclass(frozen=True, slots=True)
class Box:
    """A labelled box.

    Attributes:
        class_name: as the answer has it, blanks at its ends kept.
        bins: x_min, y_min, x_max, y_max, each in 0..999.
    """

    class_name: str
    bins: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class ImageToWrite:
    """One image of the new data set with its samples.

    Attributes:
        split: train, valid, test or empty.
        name: path of the image in POSIX spelling, unique within its split.
        size_wh: width and height of the upright image in pixels.
        rows: prefix and suffix of each sample, in order.
        boxes: of the samples that list objects by class; each four location tokens after a class are a box of it.
    """

    split: str
    name: str
    size_wh: tuple[int, int]
    rows: tuple[tuple[str, str], ...]
    boxes: tuple[Box, ...] = field(init=False)

    def __post_init__(self) -> None:
        boxes = tuple(
            Box(span.class_name, (span.bins[at], span.bins[at + 1], span.bins[at + 2], span.bins[at + 3]))
            for prefix, suffix in self.rows
            if prefix.strip() in CLASS_TASKS
            for span in scan_boxes(suffix)[0]
            for at in range(0, len(span.bins), 4)
        )
        object.__setattr__(self, "boxes", boxes)  # read once: a writer needs the classes of all before the boxes of one


def class_names(images: Sequence[ImageToWrite]) -> tuple[str, ...]:
    """Return the class names of all boxes, sorted."""
    return tuple(sorted({box.class_name for image in images for box in image.boxes}))


def pixel_boxes(image: ImageToWrite) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Yield the class name of each box and x_min, y_min, x_max, y_max in pixels.

    A box begins at the first quarter of its first bin and ends at the third quarter of its last. So it is read back as
    the same bins after rounding to decimals, lies inside the image, and is never empty, as it could be between the
    centres of bins: other tools drop boxes without an area.
    """
    boxes = image.boxes
    width, height = image.size_wh
    centres = dequantize([box.bins for box in boxes], image.size_wh).astype(np.float64)
    quarter = np.array([-width, -height, width, height]) / BINS / 4
    for box, corners in zip(boxes, np.round(centres + quarter, _DECIMALS).tolist(), strict=True):
        yield box.class_name, corners


def unique_stems(images: Sequence[ImageToWrite]) -> None:
    """Raise if two images of a split differ in nothing but their extension.

    Raises:
        DatasetError: two do; in formats with one annotation file for each image they would share it.
    """
    seen: dict[tuple[str, str], str] = {}
    for image in images:
        other = seen.setdefault((image.split, posixpath.splitext(image.name)[0]), image.name)
        if other != image.name:
            raise DatasetError(
                f"images {other!r} and {image.name!r} differ only in their extension, and would share "
                "one annotation file in this format; rename one of them, or write jsonl or coco"
            )
