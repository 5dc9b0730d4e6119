"""Numbers of the distinct values of a column."""

from __future__ import annotations

import numpy as np
import pandas as pd

from florence2.datasets.checks.view import codes_of, first_positions, records


def test_values_are_numbered_in_the_order_of_their_first_mention() -> None:
    assert codes_of(pd.Series(["b", "a", None, "b"], dtype="string")).tolist() == [0, 1, -1, 0]


def test_the_first_position_of_each_number() -> None:
    assert first_positions(np.array([0, 1, 0, 2, 1])).tolist() == [0, 1, 3]


def test_rows_become_dictionaries() -> None:
    assert records(pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
