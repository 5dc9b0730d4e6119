"""The scan of a whole column finds what the scan of each text finds."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.grammar import scan_boxes
from florence2.codec.scan import scan_column

PIECES = ["<loc_", "<loc_5>", "<loc_120>", "<loc_-3>", "<", "loc_", "0", "7", "9", ">", "-", "é", "a", " ", "\n"]
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=10).map("".join), max_size=5)


def assert_same(column: list[str]) -> None:
    scan = scan_column(pd.Series(column, dtype="string"))
    one_by_one = [scan_boxes(text) for text in column]
    groups = [(at, span.class_name, span.bins) for at, (spans, _) in enumerate(one_by_one) for span in spans]
    edges = zip(scan.group_start[:-1], scan.group_start[1:], strict=True)
    found = [
        (int(text), name, tuple(scan.bins[start:end].tolist()))
        for text, name, (start, end) in zip(scan.group_text, scan.names.to_pylist(), edges, strict=True)
    ]
    assert found == groups
    assert scan.rests.to_pylist() == [rest for _, rest in one_by_one]


@settings(max_examples=100)
@given(texts)
def test_it_agrees_with_the_scan_of_each_text(column: list[str]) -> None:
    assert_same(column)


@pytest.mark.parametrize(
    "column",
    [
        [],
        ["", ""],
        ["a<loc_1", "2>b"],
        ["<loc_0><loc_00><loc_-0><loc_-01>"],
        ["x<loc_123456789><loc_1234567890>"],
        ["<loc_", "<loc_1>"],
    ],
)
def test_edges(column: list[str]) -> None:
    assert_same(column)


def test_a_slice_of_a_column_is_scanned_alone() -> None:
    column = pd.Series(["a<loc_1>", "b<loc_2>tail", "c<loc_3>"], dtype="string").iloc[1:2]
    scan = scan_column(column)
    assert scan.names.to_pylist() == ["b"]
    assert scan.bins.tolist() == [2]
    assert scan.rests.to_pylist() == ["tail"]
    assert scan.group_size.tolist() == [1]
