"""A view of a manifest: a table that rules can check by columns, and what there is to tell about a few of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.datasets.checks.rule import ViewName

__all__ = ["Positions", "RuleBounds", "View", "codes_of", "first_positions", "records", "references"]

Positions = NDArray[np.int64]


class RuleBounds(NamedTuple):
    """The bounds that rules take from the configuration.

    Attributes:
        tiny_box: sides of fewer bins are tiny.
        near_iou: boxes of one class that overlap more are nearly the same.
        rare_class: classes with fewer boxes to train on are rare.
        typo_ratio: a class that differs by one letter from one so many times as frequent may be a typing error.
        max_target_tokens: longest answer in tokens, begin and end included; None leaves the length unchecked.
        count_tokens: returns the length of each answer in tokens, begin and end included.
    """

    tiny_box: int = 4
    near_iou: float = 0.9
    rare_class: int = 5
    typo_ratio: int = 5
    max_target_tokens: int | None = None
    count_tokens: Callable[[list[str]], Iterable[int]] | None = None


@dataclass(frozen=True, eq=False)
class View:
    """One view.

    Attributes:
        name: rows, boxes, classes, images or splits.
        table: a column for each thing that rules check, numbers where they will do; indexed 0..n-1.
        describe: tells about the rows at some positions what messages need: a dictionary for each, with ``row``
            (of the manifest, for the order; its length if there is none), ``file``, ``line`` (0: the file as a
            whole) and the names in the rules of this view. Costs time for each row: for what breaks a rule only.
        rows_of: the rows of the manifest that the rows of the view at some positions concern.
    """

    name: ViewName
    table: pd.DataFrame
    describe: Callable[[Positions], list[dict[str, Any]]]
    rows_of: Callable[[Positions], Positions]


def codes_of(values: pd.Series[Any]) -> NDArray[np.int64]:
    """Number the distinct values of a column in the order of their first mention, (n,); -1 is NA."""
    return np.asarray(pd.factorize(values)[0], dtype=np.int64)


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def first_positions(codes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each of the numbers 0..k-1 stands first, (k,)."""
    return np.unique(codes, return_index=True)[1].astype(np.int64)


def references(positions: Positions, given: NDArray[np.bool_]) -> pd.Series[int]:
    """Return a column of positions that is NA where none is given."""
    return pd.Series(pd.array(positions, dtype="Int64")).mask(~given)
