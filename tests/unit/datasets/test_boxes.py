"""The complete boxes of a data set."""

from __future__ import annotations

from florence2.codec.scan import scan_column
from florence2.datasets.boxes import Boxes, boxes_of, tidy
from florence2.datasets.manifest import DatasetManifest
from tests.builders import manifest
from tests.rules import BOX, OTHER, task


def boxes(rows: DatasetManifest) -> Boxes:
    return boxes_of(rows, scan_column(rows.table["suffix"]))


def test_boxes_are_numbered_within_their_row() -> None:
    found = boxes(manifest({"suffix": f"cat{BOX}{OTHER}dog{BOX}"}, {"suffix": f"cat{OTHER}"}))
    assert found.row.tolist() == [0, 0, 0, 1]
    assert found.number.tolist() == [0, 1, 2, 0]
    assert [found.names[number] for number in found.name] == ["cat", "cat", "dog", "cat"]
    assert found.bins[1].tolist() == [500, 500, 700, 700]


def test_an_incomplete_box_is_none() -> None:
    assert boxes(manifest({"suffix": f"cat{BOX}<loc_1>dog<loc_1>"})).bins.tolist() == [[10, 20, 300, 400]]


def test_tasks_without_named_boxes_and_unreadable_rows_have_none() -> None:
    rows = manifest(task("<OCR_WITH_REGION>", f"a{BOX}{OTHER}"), {"line_error": "bad"}, {"suffix": ""})
    assert len(boxes(rows).row) == 0


def test_any_blank_becomes_a_single_one() -> None:
    assert tidy(" red\u00a0 car\t") == "red car"
