"""``LabelledImage``: an image of an annotation file with its objects, collected one by one, and what is wrong with it.

``Remarks`` counts what a reader changes or leaves out, for one line of the log.
"""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from florence2.datasets.formats.annotations import Annotation, Region
from florence2.datasets.formats.values import BadValueError, joined

__all__ = ["LabelledImage", "Remarks"]


@dataclass(slots=True)
class LabelledImage:
    """An image with what was read of it so far; ``sample`` returns it as a sample of the data set.

    Attributes:
        split: train, valid, test or empty.
        file: the annotation file relative to the root.
        line: of the image in the file, counted from 1.
        image: path relative to the root; empty if it is not known.
        declared_wh: size of the image in pixels as the file has it.
        unit: of the points: pixels, or fractions of width and height.
        regions: its objects, in the order of the file.
        problems: line and description of everything that cannot be read; one makes the sample one with an error.
    """

    split: str
    file: str
    line: int = 1
    image: str = ""
    declared_wh: tuple[int, int] | None = None
    unit: Literal["pixels", "fractions"] = "pixels"
    regions: list[Region] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    @contextlib.contextmanager
    def part(self, line: int, what: str = "") -> Iterator[None]:
        """Read a part of the image: a BadValueError within becomes a problem of the image, and the rest is read.

        Args:
            line: of the part in the file.
            what: names the part, for files that have everything on one line.
        """
        try:
            yield
        except BadValueError as exc:
            self.problems.append((line, f"{what}: {exc}" if what else str(exc)))

    def add(self, text: str, points: tuple[float, ...], line: int) -> None:
        """Add an object: its class or text, its points in ``unit`` (of a box x_min, y_min, x_max, y_max), its line."""
        self.regions.append(Region(text, points, line))

    def sample(self, prefix: str = "<OD>") -> Annotation:
        """Return the sample with its regions as the answer; with an error alone, if there is a problem."""
        if not self.problems:
            regions = tuple(self.regions)
            size, unit = self.declared_wh, self.unit
            return Annotation(
                self.split, self.image, self.file, self.line, prefix, regions=regions, declared_wh=size, unit=unit
            )
        alone = len(self.problems) == 1
        error = joined([text if alone else f"line {line}: {text}" for line, text in self.problems])
        return Annotation(self.split, self.image, self.file, self.problems[0][0], prefix, "", error=error)


@dataclass
class Remarks:
    """What a reader counts instead of reporting each: nothing that is wrong, but what differs from the files.

    Attributes:
        boxed: kind of shape that was read as the box around it, with the number of them.
        left_out: kind of entry that was left out, with the number of them.
    """

    boxed: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def log(self, logger: logging.Logger, root: Path) -> None:
        """Log the counts in one line, if there are any."""
        parts = []
        for what, counts in (("read as the box around it", self.boxed), ("left out", self.left_out)):
            if counts:
                parts.append(f"{what}: " + ", ".join(f"{count} of {kind}" for kind, count in counts.items()))
        if parts:
            logger.info("%s: %s", root, "; ".join(parts))
