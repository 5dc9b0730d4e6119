"""The view ``boxes``: an item for each complete box in the answers of tasks that name boxes."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.codec import BINS, format_spans
from florence2.config import ValidationConfig
from florence2.datasets.boxes import Boxes, tidy
from florence2.datasets.checks.overlaps import find_same_boxes
from florence2.datasets.checks.view import Flags, Positions, View
from florence2.datasets.checks.views.regions import in_pixels
from florence2.datasets.checks.views.rows import Row, rows_at
from florence2.datasets.manifest import DatasetManifest

__all__ = ["Box", "BoxesView"]

_SIDES = ("x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        position: position in the view.
        answer: the row of the manifest whose answer holds the box.
        number: index of the box in the answer, counted from 0.
        name: class name as it is written.
        bins: x_min, y_min, x_max, y_max.
    """

    position: int
    answer: Row
    number: int
    name: str
    bins: tuple[int, ...]

    @property
    def row(self) -> int:
        """Row of the manifest."""
        return self.answer.row

    @property
    def file(self) -> str:
        """Annotation file, relative to the data set."""
        return self.answer.file

    @property
    def line(self) -> int:
        """Line of the box itself where the file has one, else of the whole answer."""
        lines = self.answer.box_lines
        return lines[self.number] if self.number < len(lines) else self.answer.line

    @property
    def key(self) -> str:
        """The id that the file gives the box; empty if it has none."""
        keys = self.answer.box_keys
        return keys[self.number] if self.number < len(keys) else ""

    @property
    def value(self) -> str:
        """The box as it is written in an answer."""
        return format_spans([(self.name, list(self.bins))])

    @property
    def measures(self) -> list[float]:
        """The sides in the unit in which the user wrote them: bins, or about as many pixels."""
        if not self.answer.from_coordinates:
            return [float(number) for number in self.bins]
        return in_pixels(self.answer, list(self.bins))

    def __str__(self) -> str:
        """Describe the box by its name and its sides, as the user wrote them."""
        if not self.answer.from_coordinates:
            tokens = format_spans([("", list(self.bins))])
            return f"{self.name.strip()!r} with {tokens}" if self.name.strip() else tokens
        corners = ", ".join(f"{side} {value:g}" for side, value in zip(_SIDES, self.measures, strict=True))
        return f"{self.name!r} of {self.answer['image']!r} at about {corners}"

    @property
    def sides_beyond_image(self) -> str:
        """The sides by which the box leaves its image, and the size of the image, in words."""
        beyond = [
            f"{side} is about {value:g}"
            for side, number, value in zip(_SIDES, self.bins, self.measures, strict=True)
            if not 0 <= number < BINS
        ]
        size = f"{self.answer['width']} x {self.answer['height']} pixels"
        return f"{' and '.join(beyond)}, the image has {size}"

    @property
    def wrong_order(self) -> str:
        """The two sides that are in the wrong order, in words."""
        x_min, y_min, x_max, y_max = self.measures
        return f"x_min {x_min:g} > x_max {x_max:g}" if x_min > x_max else f"y_min {y_min:g} > y_max {y_max:g}"


class BoxesView(View[Box]):
    """The boxes of a data set, b in all."""

    name = "boxes"
    title = "Boxes"

    def __init__(self, manifest: DatasetManifest, config: ValidationConfig, boxes: Boxes) -> None:
        super().__init__(manifest, config)
        self.boxes = boxes

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """The bins x_min, y_min, x_max, y_max of each box."""
        return pd.DataFrame(self.boxes.bins, columns=list(_SIDES), copy=False)

    def items(self, positions: Positions) -> list[Box]:
        """Return the boxes at some positions."""
        boxes = self.boxes
        return [
            Box(position, answer, int(boxes.number[position]), boxes.names[boxes.name[position]], tuple(bins))
            for position, answer, bins in zip(
                positions.tolist(),
                rows_at(self.manifest, boxes.row[positions]),
                boxes.bins[positions].tolist(),
                strict=True,
            )
        ]

    def rows_of(self, positions: Positions) -> Positions:
        """Return the rows whose answers hold the boxes."""
        return np.unique(self.boxes.row[positions])

    @functools.cached_property
    def from_coordinates(self) -> Flags:
        """Whether each box was made from coordinates, (b,)."""
        return self.manifest.table["box_lines"].notna().to_numpy(dtype=bool)[self.boxes.row]

    @functools.cached_property
    def nameless(self) -> Flags:
        """Whether each box has no class name, (b,)."""
        return np.array([not name.strip() for name in self.boxes.names], dtype=bool)[self.boxes.name]

    @functools.cached_property
    def shorter_side(self) -> NDArray[np.int64]:
        """The smaller of width and height in bins, (b,); negative where a box ends before it begins."""
        x_min, y_min, x_max, y_max = self.boxes.bins.T
        shorter: NDArray[np.int64] = np.minimum(x_max - x_min, y_max - y_min)
        return shorter

    @property
    def equal_to(self) -> Positions:
        """The position of an earlier box of the same answer and class that is equal, (b,); -1 where there is none."""
        return self._same_boxes[0]

    @property
    def nearly_equal_to(self) -> Positions:
        """The position of an earlier box of the same answer and class that is nearly equal, (b,), or -1."""
        return self._same_boxes[1]

    @functools.cached_property
    def _same_boxes(self) -> tuple[Positions, Positions]:
        tidied = pd.factorize(pd.Series([tidy(name) for name in self.boxes.names], dtype="string"))[0]
        boxes = self.boxes
        return find_same_boxes(boxes.row, tidied[boxes.name], boxes.bins, self.config.near_iou)

    def other_box(self, box: Box, position: int) -> str:
        """Return in words which box of the same answer is at a position of the view."""
        number, lines, keys = int(self.boxes.number[position]), box.answer.box_lines, box.answer.box_keys
        if number < len(keys) and keys[number]:
            return f"the box of annotation id {keys[number]}"
        return f"the box in line {lines[number]}" if len(set(lines)) > 1 else f"box {number + 1} of this answer"
