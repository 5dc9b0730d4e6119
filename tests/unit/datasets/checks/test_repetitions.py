"""Rows that repeat, contradict or reveal other rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from florence2.datasets.checks.repetitions import find_repetitions, later_split
from tests.builders import manifest
from tests.rules import BOX, task


def test_the_first_row_of_the_last_split_is_found() -> None:
    splits = pd.Series(["train", "test", "test", "valid", "", "train"], dtype="string")
    assert later_split(splits, np.array([0, 0, 0, 0, 0, 1])).tolist() == [1, -1, -1, 1, -1, -1]


def test_each_kind_of_repetition_points_to_another_row() -> None:
    same = {"sha256": "a"}
    rows = manifest(same, same, same | {"suffix": f"dog{BOX}"}, same | {"split": "test"})
    found = find_repetitions(rows, np.ones(4, dtype=bool))
    assert found.same_answer.tolist() == [-1, 0, -1, -1]
    assert found.other_answer.tolist() == [-1, -1, 0, -1]
    assert found.same_image_later.tolist() == [3, 3, 3, -1]


def test_several_captions_of_one_image_do_not_contradict() -> None:
    rows = manifest(*(task("<CAPTION>", text) | {"sha256": "a"} for text in ("one", "two")))
    assert find_repetitions(rows, np.ones(2, dtype=bool)).other_answer.tolist() == [-1, -1]


def test_rows_that_could_not_be_read_are_compared_with_nothing() -> None:
    rows = manifest({"sha256": "a"}, {"sha256": "a"}, {"sha256": "a", "split": "test"})
    found = find_repetitions(rows, np.array([True, False, False]))
    assert all((positions == -1).all() for positions in found)
