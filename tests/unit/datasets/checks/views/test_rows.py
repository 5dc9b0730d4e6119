"""Annotation lines as items, and what rules about them share."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from florence2.codec.scan import scan_column
from florence2.config import ValidationConfig
from florence2.datasets.checks.views import make_views
from florence2.datasets.checks.views.rows import (
    RowsView,
    beyond_bins,
    decide,
    is_blank,
    matches,
    rows_at,
)
from tests.builders import manifest


def view(*rows: dict[str, object], images: dict[str, dict[str, object]] | None = None) -> RowsView:
    return make_views(manifest(*rows, images=images), ValidationConfig()).rows


def test_a_row_returns_its_cells_and_lines() -> None:
    first, second = view({"box_lines": "4 9"}, {}).items(np.array([0, 1]))
    assert (first.row, first.line, first["image"], first.value) == (0, 1, "train/1.png", first["suffix"])
    assert (first.from_coordinates, first.box_lines) == (True, [4, 9])
    assert (second.from_coordinates, second.box_lines) == (False, [])


def test_one_row_may_be_returned_more_than_once() -> None:
    assert [row.line for row in rows_at(manifest({}, {}), np.array([1, 0, 1]))] == [2, 1, 2]


def test_image_defects_are_kinds() -> None:
    rows = view({"image_error": "empty: 0 bytes"}, {})
    assert rows.image_defects.fillna("none").tolist() == ["empty", "none"]


def test_the_orientation_of_an_image_may_be_unknown() -> None:
    rows = view({}, images={"train/1.png": {"orientation": 6}, "z.png": {}})
    assert [rows.orientation(image) for image in ("train/1.png", "z.png", "gone.png")] == [6, None, None]


def test_a_row_is_located_by_file_and_line() -> None:
    assert view({}, {"file": "a.xml", "line": 8}).location_of(1) == "a.xml:8"


def test_locations_in_answers() -> None:
    rows = view({"suffix": "cat"}, {"suffix": "cat<loc_1>"}, {"suffix": "a<loc_1>b<loc_1000>"})
    assert rows.with_locations.tolist() == [False, True, True]
    assert rows.with_unknown_bins.tolist() == [False, False, True]
    assert rows.any_group(np.array([False, False, True])).tolist() == [False, False, True]


def test_unknown_bins_are_found_in_any_texts() -> None:
    texts = pd.Series(["<loc_-1>", "", "<loc_999>"], dtype="string")
    assert beyond_bins(scan_column(texts), 3).tolist() == [True, False, False]


def test_texts_are_decided_once_each_and_only_the_suspects() -> None:
    decided: list[str] = []

    def is_wrong(text: str) -> bool:
        decided.append(text)
        return text == "b"

    texts = pd.Series(["b", "a", "b", "b"], dtype="string")
    assert decide(texts, np.array([True, True, True, False]), is_wrong).tolist() == [True, False, True, False]
    assert decided == ["b", "a"]


def test_blank_is_what_python_calls_blank() -> None:
    texts = ["", " \t", "\x1c\u00a0", "\u200b", "a "]
    assert is_blank(pd.Series(texts, dtype="string")).tolist() == [not text.strip() for text in texts]


def test_patterns_are_searched_in_each_text() -> None:
    assert matches(pd.Series(["cat", "dog"], dtype="string"), "^c").tolist() == [True, False]


@pytest.mark.parametrize(("prefix", "problem"), [("<OD>", ""), ("<OD>cat", "takes no text"), ("cat", "no task token")])
def test_what_is_wrong_with_a_prefix(prefix: str, problem: str) -> None:
    rows = view()
    assert problem in rows.prefix_problem(prefix)
    assert bool(problem) == bool(rows.prefix_problem(prefix))
