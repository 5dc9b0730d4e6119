"""Repairs change what they must and nothing else."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.codec.grammar import format_spans, scan_boxes
from florence2.codec.scan import scan_column
from florence2.datasets.boxes import Boxes, boxes_of
from florence2.datasets.checks.repair import repair
from florence2.datasets.manifest import DatasetManifest
from tests.builders import manifest

BOX = "<loc_10><loc_20><loc_300><loc_400>"
OTHER = "<loc_500><loc_500><loc_700><loc_700>"


def boxes(rows: DatasetManifest) -> Boxes:
    return boxes_of(rows, scan_column(rows.table["suffix"]))


def repaired(suffix: str, kind: str, *positions: int, box_lines: str | None = None) -> tuple[str, str | None]:
    rows = manifest({"suffix": suffix, "box_lines": box_lines})
    wanted = {kind: np.array(positions, dtype=np.int64)}
    table = repair(rows, boxes(rows), wanted)[0].table  # type: ignore[arg-type]
    lines = table["box_lines"].astype(object)
    return table["suffix"].iloc[0], lines.where(lines.notna(), None).iloc[0]


def test_a_box_is_dropped_and_its_line_with_it() -> None:
    assert repaired(f"cat{BOX}dog{OTHER}", "drop-box", 1) == (f"cat{BOX}", None)
    assert repaired(f"cat{BOX}{OTHER}", "drop-box", 0) == (f"cat{OTHER}", None)
    assert repaired(f"cat{BOX}dog{OTHER}", "drop-box", 0, box_lines="5 9") == (f"dog{OTHER}", "9")
    assert repaired(f"cat{BOX}", "drop-box", 0, box_lines="5") == ("", "")


def test_lines_that_do_not_belong_to_the_boxes_stay() -> None:
    assert repaired(f"cat{BOX}dog{OTHER}", "drop-box", 0, box_lines="5") == (f"dog{OTHER}", "5")


def test_a_box_is_clipped_and_its_neighbours_stay() -> None:
    wide = "<loc_-7><loc_20><loc_1300><loc_400>"
    assert repaired(f"cat{wide}{wide}dog", "clip", 1)[0] == f"cat{wide}<loc_0><loc_20><loc_999><loc_400>dog"


def test_blanks_are_stripped() -> None:
    assert repaired(f" red  car {BOX} dog\u00a0{OTHER} tail", "strip", 0)[0] == f"red car{BOX}dog{OTHER} tail"


def test_an_incomplete_box_stays_for_its_own_rule() -> None:
    assert repaired(f"cat{BOX}<loc_5>", "drop-box", 0)[0] == "cat<loc_5>"


def test_rows_are_dropped_with_images_that_they_alone_name() -> None:
    rows = manifest({"image": "a.png"}, {"image": "b.png"}, {"image": "a.png"}, images={"z.png": {}}, splits=["test"])
    clean, changed, keep = repair(rows, boxes(rows), {"drop-row": np.array([1, 2])})
    assert clean.table["line"].tolist() == [1]
    assert clean.images["image"].tolist() == ["a.png", "z.png"]
    assert clean.splits == ("train", "test")
    assert changed.tolist() == []
    assert keep.tolist() == [True, False, False]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["cat", "a b", "狗"]), st.lists(st.integers(-50, 1100), min_size=4, max_size=4)),
        min_size=1,
        max_size=4,
    )
)
def test_clipping_every_box_moves_every_bin_inside(spans: list[tuple[str, list[int]]]) -> None:
    suffix = format_spans(spans)
    clipped, _ = repaired(suffix, "clip", *range(len(spans)))
    expected = [(name, tuple(min(max(side, 0), 999) for side in bins)) for name, bins in spans]
    assert [(span.class_name, span.bins) for span in scan_boxes(clipped)[0]] == expected
