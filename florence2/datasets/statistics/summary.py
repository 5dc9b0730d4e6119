"""``DatasetStatistics``: counts and histograms of a data set, small enough to be kept with every model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from pydantic import TypeAdapter, ValidationError

from florence2.datasets.statistics.features import FEATURES
from florence2.errors import DatasetError

__all__ = ["HEAT_CELLS", "Categories", "DatasetStatistics", "Distribution", "PartStatistics"]

_FORMAT = "florence2-statistics/1"

HEAT_CELLS = 10
"""Rows and columns of the map of box centres."""


@dataclass(frozen=True)
class Distribution:
    """How often the values of a feature fall into each bin.

    Attributes:
        counts: a count for each bin of the feature.
        independent: how many independent observations they are worth at least (Kish's effective sample size,
            clusters being images); 0.0 if there is none.
        minimum: smallest value, None if there are no values.
        median: median of the values, None if there are no values.
        maximum: largest value, None if there are no values.
    """

    counts: tuple[int, ...]
    independent: float
    minimum: float | None
    median: float | None
    maximum: float | None

    @property
    def total(self) -> int:
        """Number of values."""
        return sum(self.counts)


@dataclass(frozen=True)
class Categories:
    """How often each name occurs.

    Attributes:
        counts: by name, the most frequent first.
        independent: as of ``Distribution``.
    """

    counts: dict[str, int]
    independent: float

    @property
    def total(self) -> int:
        """Number of mentions."""
        return sum(self.counts.values())


@dataclass(frozen=True)
class PartStatistics:
    """Statistics of one split, or of the data set.

    Attributes:
        rows: annotation lines.
        unreadable_rows: lines that could not be read; they count in nothing below.
        images: distinct image paths.
        tasks: rows of each task token; "" counts rows without one.
        classes: boxes of each class, names without stray blanks; of the tasks that detect classes, not phrases.
        centres: counts of box centres, ``centres[row][column]`` from the top left, ``HEAT_CELLS`` rows and columns.
        features: a distribution for each of ``FEATURES``.
    """

    rows: int
    unreadable_rows: int
    images: int
    tasks: Categories
    classes: Categories
    centres: tuple[tuple[int, ...], ...]
    features: dict[str, Distribution]

    @classmethod
    def empty(cls) -> PartStatistics:
        """Return the statistics of a set without rows."""
        nothing = Categories({}, 0.0)
        centres = ((0,) * HEAT_CELLS,) * HEAT_CELLS
        features = {
            name: Distribution((0,) * (len(feature.edges) - 1), 0.0, None, None, None)
            for name, feature in FEATURES.items()
        }
        return cls(0, 0, 0, nothing, nothing, centres, features)


@dataclass(frozen=True)
class DatasetStatistics:
    """Statistics of a data set.

    Attributes:
        root: folder of the data set, by which it is named.
        overall: of all rows.
        splits: of each split, by its name; "" holds rows without one.
    """

    root: str
    overall: PartStatistics
    splits: dict[str, PartStatistics]

    @property
    def title(self) -> str:
        """Name of the set for readers: the end of its path, and its split if there is only one."""
        name = "/".join(PurePosixPath(self.root).parts[-2:])
        return f"{name}, {next(iter(self.splits)) or 'no split'}" if len(self.splits) == 1 else name

    def only(self, split: str) -> DatasetStatistics:
        """Return the statistics of one split as a data set of its own, an empty one where there is no such split.

        Args:
            split: its name; "" for the rows without one.
        """
        part = self.splits.get(split)
        return DatasetStatistics(self.root, part or PartStatistics.empty(), {split: part} if part and part.rows else {})

    def to_dict(self) -> dict[str, Any]:
        """Return the content as JSON values, with the edges of the histograms."""
        edges = {name: feature.edges for name, feature in FEATURES.items()}
        return {"format": _FORMAT, "edges": edges, **asdict(self)}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> DatasetStatistics:
        """Read what ``to_dict`` returned, also if it was stored as JSON.

        Raises:
            DatasetError: the content is no such dictionary, or its histograms have other bins.
        """
        if content.get("format") != _FORMAT:
            raise DatasetError(
                f"statistics of format {content.get('format')!r}, not {_FORMAT!r}; compute them again from the data set"
            )
        try:
            statistics = TypeAdapter(cls).validate_python({name: content.get(name) for name in cls.__annotations__})
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise DatasetError(
                f"not the statistics of a data set ({where}: {first['msg']}); compute them again from the data set"
            ) from exc
        for part in (statistics.overall, *statistics.splits.values()):
            found = {name: len(distribution.counts) + 1 for name, distribution in part.features.items()}
            if found != {name: len(feature.edges) for name, feature in FEATURES.items()}:
                raise DatasetError(
                    "the statistics have other features or bins than this version; compute them again from the data set"
                )
        return statistics
