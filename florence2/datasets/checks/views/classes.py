"""The view ``classes``: an item for each class name as it is written."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from florence2.datasets.boxes import tidy
from florence2.datasets.checks.class_names import compare_classes
from florence2.datasets.checks.view import Positions, View
from florence2.datasets.checks.views.boxes import Box, BoxesView

__all__ = ["ClassName", "ClassesView"]


@dataclass(frozen=True)
class ClassName:
    """One spelling of a class name.

    Attributes:
        position: position in the view.
        value: the name as it is written.
        tidied: the name without blanks at its ends and with single ones inside.
        first: the first box that has it.
        boxes: how many boxes have it.
    """

    position: int
    value: str
    tidied: str
    first: Box
    boxes: int

    @property
    def row(self) -> int:
        """Row of the manifest with the first box."""
        return self.first.row

    @property
    def file(self) -> str:
        """Annotation file of the first box."""
        return self.first.file

    @property
    def line(self) -> int:
        """Line of the first box."""
        return self.first.line


class ClassesView(View[ClassName]):
    """The class names of a data set, c spellings in all. They are compared without stray blanks."""

    name = "classes"
    title = "Class names"

    def __init__(self, boxes: BoxesView) -> None:
        super().__init__(boxes.manifest, boxes.config)
        self._boxes_view = boxes
        self._boxes = boxes.boxes

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """The class of each spelling, (c,) each.

        ``name``: as it is written. ``tidied``: without blanks at its ends and with single ones inside. The other
        columns are those of ``compare_classes`` for the tidied name; they are NA for phrases, which are not classes.
        """
        names = pd.Series([self._boxes.names[code] for code in self._spellings[0]], dtype="string")
        tidied = pd.Series([tidy(name) for name in names], dtype="string")
        classes = compare_classes(self.manifest, self._boxes, self.config.typo_ratio)
        return classes.reindex(tidied).reset_index(drop=True).assign(name=names, tidied=tidied)

    @functools.cached_property
    def _spellings(self) -> tuple[Positions, Positions]:
        """The number of each name that is used and the position of its first box."""
        numbers, first = np.unique(self._boxes.name, return_index=True)
        return numbers, first

    def items(self, positions: Positions) -> list[ClassName]:
        """Return the spellings at some positions."""
        numbers, first = self._spellings
        boxes = np.bincount(self._boxes.name, minlength=len(self._boxes.names))[numbers]
        cells = self.table.iloc[positions]
        return [
            ClassName(position, name, tidied, box, int(boxes[position]))
            for position, name, tidied, box in zip(
                positions.tolist(),
                cells["name"],
                cells["tidied"],
                self._boxes_view.items(first[positions]),
                strict=True,
            )
        ]

    def rows_of(self, positions: Positions) -> Positions:
        """Return the rows whose answers have a box with one of the names."""
        return np.unique(self._boxes.row[np.isin(self._boxes.name, self._spellings[0][positions])])
