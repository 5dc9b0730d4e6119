"""The view ``rows``: an item for each annotation line."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from florence2.codec import BINS, AnswerKind, LocationScan, TaskTable
from florence2.config import ValidationConfig
from florence2.datasets.checks.repetitions import Repetitions, find_repetitions
from florence2.datasets.checks.view import Flags, Positions, View, records
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import AnswerError

__all__ = [
    "AnswerLimit",
    "Row",
    "RowsView",
    "beyond_bins",
    "decide",
    "is_blank",
    "matches",
    "rows_at",
]

_SIZES = {AnswerKind.BOXES: 4, AnswerKind.PROPOSALS: 4, AnswerKind.QUADS: 8, AnswerKind.POLYGONS: 2}
"""Location tokens of one region: a box takes four, a quadrilateral eight, a point of a polygon two."""
_ABOUT_REGION = "<REGION_TO_"
# Python's blanks and Arrow's differ in a few control characters: this finds what may be blank, Python decides.
_SURELY_VISIBLE = r"[^\s\pZ\pC]"


class AnswerLimit(NamedTuple):
    """How long an answer may be.

    Attributes:
        max_tokens: longest answer in tokens, begin and end included.
        count_tokens: returns the length of each answer in tokens, begin and end included.
    """

    max_tokens: int
    count_tokens: Callable[[list[str]], Iterable[int]]


@dataclass(frozen=True)
class Row:
    """One annotation line.

    Attributes:
        row: its number in the manifest, which is its position in the view.
        cells: its values by the columns of the manifest; ``row["image"]`` returns one.
    """

    row: int
    cells: Mapping[str, Any]

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    @property
    def file(self) -> str:
        """Annotation file, relative to the data set."""
        return str(self.cells["file"])

    @property
    def line(self) -> int:
        """Line in the file, counted from 1."""
        return int(self.cells["line"])

    @property
    def value(self) -> str:
        """The answer."""
        return str(self.cells["suffix"])

    @property
    def from_coordinates(self) -> bool:
        """Whether the answer was made from coordinates, so that its boxes have lines of their own."""
        return not pd.isna(self.cells["box_lines"])

    @property
    def box_lines(self) -> list[int]:
        """Lines in the file of the boxes of the answer; empty where the file holds the answer itself."""
        return [int(mark.partition(":")[0]) for mark in self._marks]

    @property
    def box_keys(self) -> list[str]:
        """Ids that the file gives the boxes of the answer, empty for one without; none where there are no lines."""
        return [mark.partition(":")[2] for mark in self._marks]

    @property
    def _marks(self) -> list[str]:
        return list(self.cells["box_lines"].split()) if self.from_coordinates else []


class RowsView(View[Row]):
    """The annotation lines of a data set, n in all.

    Attributes:
        scan: the scan of the answers.
        limit: how long an answer may be; None where the length is not checked.
    """

    name = "rows"
    title = "Annotation lines"

    def __init__(
        self, manifest: DatasetManifest, config: ValidationConfig, scan: LocationScan, limit: AnswerLimit | None
    ) -> None:
        super().__init__(manifest, config)
        self.scan = scan
        self.limit = limit

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """The table of the manifest."""
        return self.manifest.table

    @property
    def tasks(self) -> TaskTable:
        """The tasks of which each prefix names one."""
        return self.manifest.tasks

    def has_task(self, tokens: Collection[str]) -> Flags:
        """Return whether each line is of one of these tasks, (n,)."""
        return self.table["task"].isin(tokens).to_numpy(dtype=bool)

    @functools.cached_property
    def in_words_alone(self) -> Flags:
        """Whether the answer of each task is in words without locations, (n,).

        Florence-2 repeats the region when it answers about one, so only the others answer in words alone.
        """
        return self.has_task(
            [token for token in self.tasks if token not in self.sizes_of_tasks and not token.startswith(_ABOUT_REGION)]
        )

    def items(self, positions: Positions) -> list[Row]:
        """Return the rows at some positions."""
        return rows_at(self.manifest, positions)

    def rows_of(self, positions: Positions) -> Positions:
        """Return the positions: the items are the rows of the manifest."""
        return positions

    @functools.cached_property
    def readable(self) -> Flags:
        """Whether each line could be read as an annotation, (n,)."""
        return self.table["line_error"].isna().to_numpy()

    @functools.cached_property
    def from_coordinates(self) -> Flags:
        """Whether each answer was made from coordinates, (n,); the file holds the others as they are."""
        return self.table["box_lines"].notna().to_numpy()

    @functools.cached_property
    def image_defects(self) -> pd.Series[str]:
        """The kind of each image error, (n,); NA where the image is fine."""
        errors = self.table["image_error"]
        broken = errors[errors.notna()]
        kinds = pd.Series([error.partition(": ")[0] for error in broken], index=broken.index, dtype="string")
        return kinds.reindex(errors.index)

    @functools.cached_property
    def known_task(self) -> Flags:
        """Whether each prefix begins with a task token, (n,)."""
        return self.table["task"].isin(list(self.tasks)).to_numpy(dtype=bool)

    def prefix_problem(self, prefix: str) -> str:
        """Say what is wrong with a prefix, empty if nothing is."""
        try:
            self.tasks.split_prefix(prefix)
        except AnswerError as exc:
            return str(exc)
        return ""

    @functools.cached_property
    def wrong_prefix(self) -> Flags:
        """Whether each prefix has no task, no text where it needs one or one where it takes none, (n,)."""
        prefixes, tasks = self.table["prefix"], self.table["task"]
        alone = (prefixes == tasks).to_numpy(dtype=bool)
        takes_input = tasks.isin([task.token for task in self.tasks.tasks if task.takes_input]).to_numpy(dtype=bool)
        tokens = "|".join(map(re.escape, self.tasks.reserved))
        # Patterns show that most prefixes are right; only the others are parsed.
        with_text = takes_input & ~alone & ~matches(prefixes, rf"(?s)^<\w+>.*(?:{tokens})")
        with_text &= matches(prefixes, r"^<\w+>\s*\w")
        right = self.known_task & ((alone & ~takes_input) | with_text)
        return decide(prefixes, ~right, lambda prefix: bool(self.prefix_problem(prefix)))

    @functools.cached_property
    def blank_answer(self) -> Flags:
        """Whether each answer is blank, (n,)."""
        return is_blank(self.table["suffix"])

    @functools.cached_property
    def sizes_of_tasks(self) -> dict[str, int]:
        """Location tokens of one region, by the token of a task; tasks without regions are left out."""
        return {task.token: _SIZES[task.answer] for task in self.tasks.tasks if task.answer in _SIZES}

    @functools.cached_property
    def region_sizes(self) -> NDArray[np.int64]:
        """Location tokens of one region in the answer that each task requires, (n,); 0 where it requires none."""
        return np.asarray(self.table["task"].map(self.sizes_of_tasks).fillna(0), dtype=np.int64)

    @functools.cached_property
    def with_locations(self) -> Flags:
        """Whether each answer has location tokens, (n,)."""
        return np.bincount(self.scan.group_text, minlength=len(self.table)) > 0

    @functools.cached_property
    def with_unknown_bins(self) -> Flags:
        """Whether each answer has a bin outside 0..999, (n,)."""
        return beyond_bins(self.scan, len(self.table))

    def any_group(self, flags: Flags) -> Flags:
        """Return whether each answer has a group of the scan with a flag, (n,).

        Args:
            flags: (g,), one for each group.
        """
        found = np.zeros(len(self.table), dtype=bool)
        found[self.scan.group_text[flags]] = True
        return found

    @functools.cached_property
    def repetitions(self) -> Repetitions:
        """Which other row each row repeats, contradicts or shows the image of."""
        return find_repetitions(self.manifest, self.readable)

    def orientation(self, image: str) -> int | None:
        """Return the EXIF orientation of an image, None if it is unknown."""
        value = self._orientations.get(image)
        return None if pd.isna(value) else int(value)

    @functools.cached_property
    def _orientations(self) -> pd.Series[int]:
        return self.manifest.images.set_index("image")["orientation"]

    def location_of(self, row: int) -> str:
        """Return ``file:line`` of a row of the manifest."""
        return f"{self.table['file'].iloc[row]}:{self.table['line'].iloc[row]}"


def rows_at(manifest: DatasetManifest, positions: Positions) -> list[Row]:
    """Return some rows of a manifest.

    Args:
        manifest: the data set.
        positions: their numbers; one may be there more than once.
    """
    cells = records(manifest.table.iloc[positions])
    return [Row(row, values) for row, values in zip(positions.tolist(), cells, strict=True)]


def matches(texts: pd.Series[str], pattern: str) -> Flags:
    """Return which texts hold a pattern in the syntax of RE2, (n,)."""
    found = pc.match_substring_regex(pa.array(texts.array), pattern)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def decide(texts: pd.Series[str], suspects: Flags, is_wrong: Callable[[str], bool]) -> Flags:
    """Return which of the suspects are wrong, (n,); a function decides once for each distinct text.

    Args:
        texts: n texts.
        suspects: (n,), which of them to decide about.
        is_wrong: decides about one text.
    """
    chosen = texts[suspects]
    wrong = [text for text in chosen.unique() if is_wrong(text)]
    decided = np.zeros(len(texts), dtype=bool)
    decided[suspects] = chosen.isin(wrong).to_numpy(dtype=bool)
    return decided


def is_blank(texts: pd.Series[str]) -> Flags:
    """Return which texts are empty or blank, (n,)."""
    return decide(texts, ~matches(texts, _SURELY_VISIBLE), lambda text: not text.strip())


def beyond_bins(scan: LocationScan, texts: int) -> Flags:
    """Return which texts hold a location token that does not exist, (n,).

    Args:
        scan: the scan of the texts.
        texts: how many there are, n.
    """
    unknown = np.flatnonzero((scan.bins < 0) | (scan.bins >= BINS))
    groups = np.searchsorted(scan.group_start, unknown, side="right") - 1
    flags = np.zeros(texts, dtype=bool)
    flags[scan.group_text[groups]] = True
    return flags
