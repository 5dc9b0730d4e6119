"""A view of a manifest: the things that rules look at, and what a report says about each of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.config import ValidationConfig
from florence2.datasets.manifest import DatasetManifest

__all__ = ["Flags", "Item", "ItemT", "Positions", "View", "codes_of", "first_positions", "records"]

Flags = NDArray[np.bool_]
Positions = NDArray[np.int64]


class Item(Protocol):
    """One thing that a view holds: a row, a box, a class name, an image file or a split."""

    @property
    def row(self) -> int:
        """Row of the manifest by which a report is sorted; the length of the manifest if there is none."""

    @property
    def file(self) -> str:
        """Annotation file or image, relative to the data set, or the name of a split."""

    @property
    def line(self) -> int:
        """Line in the file, counted from 1; 0 for the file as a whole."""

    @property
    def value(self) -> object:
        """What a report shows as the offending value, unless the rule gives another."""


ItemT = TypeVar("ItemT", bound=Item)


class View(ABC, Generic[ItemT]):
    """One view.

    A subclass computes as ``cached_property`` what more than one rule needs, so that each value is computed once and
    only where a rule is checked.

    Attributes:
        name: name of the view in code and messages.
        title: heading of its rules on pages.
        manifest: the data set.
        config: the bounds that rules take from the configuration.
    """

    name: ClassVar[str]
    title: ClassVar[str]

    def __init__(self, manifest: DatasetManifest, config: ValidationConfig) -> None:
        self.manifest = manifest
        self.config = config

    @property
    @abstractmethod
    def table(self) -> pd.DataFrame:
        """A row for each item, n in all, indexed 0..n-1. Not to be changed."""

    @abstractmethod
    def items(self, positions: Positions) -> list[ItemT]:
        """Return the items at some positions; this takes time for each, so request only those that break a rule."""

    @abstractmethod
    def rows_of(self, positions: Positions) -> Positions:
        """Return the rows of the manifest, ascending, that the items at some positions concern."""


def codes_of(values: pd.Series[Any]) -> NDArray[np.int64]:
    """Number the distinct values of a column in the order of their first mention, (n,); -1 is NA."""
    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def first_positions(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the first position of each of the numbers 0..k-1, (k,)."""
    return np.unique(codes, return_index=True)[1].astype(np.int64)
