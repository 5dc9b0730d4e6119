"""The view ``splits``: an item for each split that the data set comes with."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from florence2.datasets.checks.view import Positions, View

__all__ = ["Split", "SplitsView"]


@dataclass(frozen=True)
class Split:
    """One split.

    Attributes:
        row: the length of the manifest: no row stands for a split.
        file: its name.
        line: 0.
        value: its name.
    """

    row: int
    file: str
    line: int
    value: str


class SplitsView(View[Split]):
    """The splits of a data set, s in all."""

    name = "splits"
    title = "Splits"

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """The name ``split`` and the number of ``rows`` of each split."""
        counts = self.manifest.table["split"].value_counts()
        names = list(self.manifest.splits)
        rows = [int(counts.get(name, 0)) for name in names]
        return pd.DataFrame({"split": pd.Series(names, dtype="string"), "rows": pd.Series(rows, dtype="int64")})

    def items(self, positions: Positions) -> list[Split]:
        """Return the splits at some positions."""
        names = self.table["split"].iloc[positions]
        return [Split(len(self.manifest), name, 0, name) for name in names]

    def rows_of(self, positions: Positions) -> Positions:  # noqa: ARG002
        """Return no row: what is wrong with a split is that it has none."""
        return np.zeros(0, dtype=np.int64)
