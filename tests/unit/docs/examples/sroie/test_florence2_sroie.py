"""The example SROIE: fixed questions, and texts with the quadrilaterals around them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats.recognition import read_dataset, recognise
from florence2.errors import DatasetError
from tests.builders import write_image
from tests.rules import found


def write_receipt(root: Path, stem: str, keys: Any = None, boxes: bytes | None = None) -> None:
    write_image(root / f"img/{stem}.jpg", (20, 10))
    for folder, name, content in (("key", f"{stem}.json", keys), ("box", f"{stem}.csv", boxes)):
        (root / folder).mkdir(exist_ok=True)
        if content is not None:
            data = content if isinstance(content, bytes) else json.dumps(content, indent=1).encode()
            (root / folder / name).write_bytes(data)


def test_reads_questions_and_texts(tmp_path: Path) -> None:
    from florence2_sroie import QUESTIONS

    boxes = b"\xef\xbb\xbf2,1,12,1,12,6,2,6,TAMAN, DAYA,\r\n\r\n0,0,20,0,20,10,0,10,9.00\n"
    write_receipt(tmp_path, "000", {"company": " BOOK ", "total": "9.00"}, boxes)
    write_receipt(tmp_path, "001", {"date": ""})
    assert recognise(tmp_path) == (tmp_path, "sroie")
    manifest = read_dataset(tmp_path)
    columns = ["image", "prefix", "suffix", "file", "line"]
    assert manifest.table[columns].to_numpy().tolist() == [
        ["img/000.jpg", f"<DocVQA>{QUESTIONS['company']}", "BOOK", "key/000.json", 2],
        ["img/000.jpg", f"<DocVQA>{QUESTIONS['total']}", "9.00", "key/000.json", 3],
        [
            "img/000.jpg",
            "<OCR_WITH_REGION>",
            "TAMAN, DAYA,<loc_100><loc_100><loc_600><loc_100><loc_600><loc_600><loc_100><loc_600>"
            "9.00<loc_0><loc_0><loc_999><loc_0><loc_999><loc_999><loc_0><loc_999>",
            "box/000.csv",
            1,
        ],
        ["img/001.jpg", f"<DocVQA>{QUESTIONS['date']}", "", "key/001.json", 2],
    ]
    assert manifest.table["box_lines"].fillna("none").tolist() == ["none", "none", "1 3", "none"]
    assert manifest.splits == ()
    assert manifest.table["image_error"].isna().all()


def test_a_text_beyond_the_image_is_an_error_of_validation(tmp_path: Path) -> None:
    boxes = b"2,1,12,1,12,6,2,6,in\n2,1,24,1,24,6,2,-6,out, far\n"
    write_receipt(tmp_path, "000", boxes=boxes)
    message = "'out, far' in line 2 reaches to about x 24, y -6; the image has 20 x 10 pixels"
    assert found(read_dataset(tmp_path)) == [("region-outside", 1, message)]
    write_receipt(tmp_path, "000", boxes=b"0,0,20,0,20,10,0,10,at the edge\n")
    assert found(read_dataset(tmp_path)) == []


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        (b"1,2,3,4,5,6,7,8", "line 2 has 8 fields"),
        (b"1,2,3,4,5,6,7,x,text", "a coordinate in line 2 is 'x', not a finite number"),
        (b"1,2,3,4,5,6,7,8,\xff", "line 2 is not valid UTF-8"),
        (b"1,2,3,4,5,6,7,8,a<loc_1>b", "'a<loc_1>b' in line 2 holds '<loc_'"),
    ],
)
def test_a_bad_line_of_texts_stands_in_the_row(tmp_path: Path, boxes: bytes, message: str) -> None:
    write_receipt(tmp_path, "000", boxes=b"1,1,2,1,2,2,1,2,good\n" + boxes)
    row = read_dataset(tmp_path).table.iloc[0]
    assert message in row["line_error"]
    assert (row["line"], row["file"]) == (2, "box/000.csv")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"total": 9}, "'total' is 9, not a text"),
        ({"tax": "9"}, "unknown key 'tax'; known: company"),
        (["9"], "unknown key ''"),
    ],
)
def test_a_bad_key_is_a_row_with_its_error(tmp_path: Path, keys: Any, message: str) -> None:
    write_receipt(tmp_path, "000", keys)
    assert message in read_dataset(tmp_path).table["line_error"].iloc[0]


def test_keys_that_are_no_json_spoil_no_other_receipt(tmp_path: Path) -> None:
    write_receipt(tmp_path, "000", b'{"total": "9",\n')
    write_receipt(tmp_path, "001", {"total": "9"})
    table = read_dataset(tmp_path).table
    assert table[["image", "line", "suffix"]].to_numpy().tolist() == [
        ["img/000.jpg", 1, "9"],
        ["img/000.jpg", 2, ""],
        ["img/001.jpg", 2, "9"],
    ]
    assert table["line_error"].iloc[1].startswith("not valid JSON, expecting a key in double quotes at column")


def test_an_empty_set_is_refused(tmp_path: Path) -> None:
    write_receipt(tmp_path, "000", boxes=b"")
    with pytest.raises(DatasetError, match="no sample in img/000"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match="no annotations found; it must hold img"):
        read_dataset(tmp_path / "key", "sroie")


@pytest.mark.parametrize(
    ("file", "content"), [("key/001.json", '{"total": "9"}'), ("box/001.csv", "0,0,1,0,1,1,0,1,a")]
)
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_an_annotation_file_that_is_not_a_file_of_the_set_spoils_no_other_receipt(
    tmp_path: Path, file: str, content: str, kind: str
) -> None:
    root = tmp_path / "set"
    write_receipt(root, "000", {"total": "9"})
    write_receipt(root, "001")
    if kind == "link":
        (tmp_path / "elsewhere").write_text(content)
        (root / file).symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(root / file)
    message = "leads out of the data set's folder" if kind == "link" else "cannot be read (is not a regular file)"
    table = read_dataset(root).table
    assert table["image"].tolist() == ["img/000.jpg", "img/001.jpg"]
    assert table["line_error"].iloc[1].startswith(message)
    assert table["line_error"].isna().iloc[0]
