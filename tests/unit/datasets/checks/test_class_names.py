"""Counts and comparisons of class names."""

from __future__ import annotations

import pandas as pd

from florence2.codec.scan import scan_column
from florence2.datasets.boxes import boxes_of
from florence2.datasets.checks.class_names import compare_classes
from tests.builders import manifest
from tests.rules import BOX


def compared(*names: str, split: str = "train", typo_ratio: int = 5) -> pd.DataFrame:
    rows = manifest(*({"suffix": f"{name}{BOX}", "split": split} for name in names))
    return compare_classes(rows, boxes_of(rows, scan_column(rows.table["suffix"])), typo_ratio)


def test_boxes_are_counted_by_the_name_without_stray_blanks() -> None:
    table = compared("dog", " cat", "cat", "cat ")
    assert table.index.tolist() == ["dog", "cat"]
    assert table["total"].tolist() == table["trained"].tolist() == [1, 3]


def test_a_set_without_training_rows_has_no_class_that_is_only_held_out() -> None:
    table = compared("dog", split="test")
    assert (table["trained"].tolist(), table["held_out_only"].tolist()) == ([0], [False])


def test_the_more_frequent_spelling_is_taken_for_the_right_one() -> None:
    table = compared("Cat", "cat", "cat", "dog")
    assert table["case_of"].fillna("").tolist() == ["cat", "", ""]


def test_one_letter_and_a_ratio_make_a_typing_error() -> None:
    names = ["platelts", *["platelets"] * 5]
    assert compared(*names)["typo_of"].fillna("").tolist() == ["platelets", ""]
    assert compared(*names, typo_ratio=6)["typo_of"].isna().all()


def test_no_names_are_compared_with_nothing() -> None:
    assert len(compared()) == 0
    assert compared("")["case_of"].tolist() == []
