"""The reader of CVAT for images 1.1: layouts, shapes, splits, and XML that means harm."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

BOX = '<box label="cat" occluded="0" xtl="2.00" ytl="1.00" xbr="12.00" ybr="6.00" z_order="0"/>'
CAT = "cat<loc_100><loc_100><loc_600><loc_600>"


def image(*shapes: str, name: str = "a.png", more: str = "") -> str:
    body = "\n".join(shapes)
    return f'<image id="0" name="{name}" width="20" height="10" {more}>\n{body}\n</image>\n'


def write(root: Path, *images: str, file: str = "annotations.xml") -> None:
    root.mkdir(exist_ok=True)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n<version>1.1</version><meta><task/></meta>\n'
    (root / file).write_text(head + "".join(images) + "</annotations>")


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def one_row(root: Path, *shapes: str) -> dict[str, Any]:
    write(root, image(*shapes))
    write_image(root / "images/a.png")
    (row,) = rows(root)
    return row


def test_boxes_with_their_lines(tmp_path: Path) -> None:
    row = one_row(tmp_path, BOX, BOX.replace("cat", "dog"))
    assert row["suffix"] == CAT + CAT.replace("cat", "dog")
    assert (row["split"], row["image"], row["file"], row["line"]) == ("", "images/a.png", "annotations.xml", 4)
    assert (row["box_lines"], row["declared_width"], row["declared_height"]) == ("5 6", 20, 10)


@pytest.mark.parametrize(
    ("shape", "bins"),
    [
        ('<polygon label="cat" points="2.00,1.00;12.00,3.00;5.00,6.00"/>', (100, 100, 600, 600)),
        ('<box label="cat" xtl="7" ytl="3" xbr="13" ybr="7" rotation="90.00"/>', (400, 200, 600, 800)),
        ('<box label="cat" xtl="0" ytl="3" xbr="4" ybr="7" rotation="45"/>', (0, 217, 241, 782)),  # cut off at x = 0
        ('<ellipse label="cat" cx="10" cy="5" rx="4" ry="2"/>', (300, 300, 700, 700)),
        ('<ellipse label="cat" cx="10" cy="5" rx="4" ry="2" rotation="90"/>', (400, 100, 600, 900)),
        ('<mask label="cat" rle="1, 2" left="2" top="1" width="10" height="5"/>', (100, 100, 600, 600)),
    ],
)
def test_shapes_have_the_box_around_them(
    tmp_path: Path, shape: str, bins: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        row = one_row(tmp_path, shape)
    assert row["suffix"] == "cat" + "".join(f"<loc_{each}>" for each in bins)
    assert "read as the box around it: 1 of" in caplog.text


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ('<polyline label="cat" points="1,1;2,2"/>', "a <polyline> has no box; draw a rectangle or a polygon"),
        ('<box label="cat" xtl="1" ytl="1" xbr="2"/>', "the <box> has no 'ybr'"),
        ('<box xtl="1" ytl="1" xbr="2" ybr="2"/>', "the <box> has no 'label'"),
        ('<box label="cat" xtl="nan" ytl="1" xbr="2" ybr="2"/>', "'xtl' of the <box> is 'nan', not a finite number"),
        ('<box label="cat" xtl="1e308" ytl="1" xbr="2" ybr="2"/>', "'xtl' of the <box> is '1e308', not a finite"),
        ('<box label="cat" xtl="1" ytl="1" xbr="2" ybr="2" rotation="x"/>', "'rotation' of the <box> is 'x'"),
        ('<polygon label="cat" points="1,1;2"/>', "'points' of the <polygon> is '1,1;2', not x,y;x,y;x,y"),
    ],
)
def test_a_wrong_shape_is_an_error_of_its_line(tmp_path: Path, shape: str, message: str) -> None:
    row = one_row(tmp_path, BOX, shape)
    assert message in row["line_error"]
    assert (row["line"], row["suffix"], row["image"]) == (6, "", "images/a.png")


def test_subsets_are_splits(tmp_path: Path) -> None:
    subsets = ("Train", "Validation", "default")
    write(tmp_path, *(image(BOX, more=f'subset="{subset}"') for subset in subsets))
    for subset in subsets:
        write_image(tmp_path / f"images/{subset}/a.png")
    found = [(row["split"], row["image"], row["image_error"]) for row in rows(tmp_path)]
    assert found == [
        ("train", "images/Train/a.png", None),
        ("valid", "images/Validation/a.png", None),
        ("", "images/default/a.png", None),
    ]


def test_a_file_for_each_subset(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path, image(BOX), file=f"{split}.xml")
        write_image(tmp_path / f"images/{split}/a.png")
    assert [(row["split"], row["image"]) for row in rows(tmp_path)] == [
        ("train", "images/train/a.png"),
        ("test", "images/test/a.png"),
    ]


def test_tags_and_shapes_out_of_the_image_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        row = one_row(tmp_path, BOX, '<tag label="day"/>', BOX.replace("/>", ' outside="1"/>'))
    assert row["suffix"] == CAT
    assert "left out: 1 of tag, 1 of box" in caplog.text


def test_tags_alone_are_no_boxes(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="its images have tags and no boxes; draw boxes"):
        one_row(tmp_path, '<tag label="day"/>')


def test_an_export_of_a_video_says_which_to_choose(tmp_path: Path) -> None:
    write(tmp_path, '<track id="0" label="cat"/>')
    with pytest.raises(DatasetError, match=r"tracks are not read; export the task as 'CVAT for images 1\.1'"):
        read_dataset(tmp_path)


def test_entities_are_refused(tmp_path: Path) -> None:
    bomb = '<!DOCTYPE annotations [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>\n<annotations>&b;</annotations>'
    (tmp_path / "annotations.xml").write_text(bomb)
    with pytest.raises(DatasetError, match="the file defines or loads entities, which is not allowed"):
        read_dataset(tmp_path, "cvat")


def test_a_damaged_file_names_its_line(tmp_path: Path) -> None:
    write(tmp_path, image(BOX), "<image>")
    with pytest.raises(DatasetError, match=r"annotations\.xml:7: not valid XML: .*; export the task as"):
        read_dataset(tmp_path)
