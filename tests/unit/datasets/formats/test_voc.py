"""The Pascal VOC reader: its two layouts, the ways in which images are named, and XML that means harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

OBJECT = (
    "  <object>\n    <name>cat</name>\n"
    "    <bndbox><xmin>2</xmin><ymin>1</ymin><xmax>12</xmax><ymax>6</ymax></bndbox>\n  </object>\n"
)
SIZE = "<size><width>20</width><height>10</height></size>"


def xml(filename: str = "a.png", body: str = OBJECT, size: str = SIZE) -> str:
    return f"<annotation>\n  <filename>{filename}</filename>\n  {size}\n{body}</annotation>\n"


def write(root: Path, file: str, content: str | bytes) -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_bytes(content if isinstance(content, bytes) else content.encode())


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def one_row(root: Path, content: str | bytes) -> dict[str, Any]:
    """Read a set of one XML file a.xml with an image a.png."""
    write(root, "Annotations/a.xml", content)
    write_image(root / "JPEGImages/a.png")
    (row,) = rows(root)
    return row


def test_reads_boxes_unchanged(tmp_path: Path) -> None:
    second = (
        "<object><name> dog </name><bndbox><xmin>0.5</xmin><ymin>0</ymin><xmax>20</xmax><ymax>10.0</ymax></bndbox>"
        "<part><name>ear</name><bndbox><xmin>1</xmin></bndbox></part></object>"
    )
    row = one_row(tmp_path, xml(body=OBJECT + second))
    assert row["suffix"] == "cat<loc_100><loc_100><loc_600><loc_600> dog <loc_25><loc_0><loc_999><loc_999>"
    assert (row["split"], row["image"], row["file"], row["line"]) == ("", "JPEGImages/a.png", "Annotations/a.xml", 1)
    assert (row["box_lines"], row["declared_width"], row["declared_height"]) == ("6 8", 20, 10)


def test_several_boxes_of_one_object(tmp_path: Path) -> None:
    box = "<bndbox><xmin>2</xmin><ymin>1</ymin><xmax>4</xmax><ymax>2</ymax></bndbox>\n"
    row = one_row(tmp_path, xml(body=f"<object>{box}{box}<name>cat</name></object>"))
    assert row["suffix"] == "cat<loc_100><loc_100><loc_200><loc_200>" * 2
    assert row["box_lines"] == "4 5"


@pytest.mark.parametrize(
    "size", ["", "<size><width>0</width><height>0</height></size>", "<size><width>x</width></size>"]
)
def test_without_a_declared_size_that_of_the_image_counts(tmp_path: Path, size: str) -> None:
    row = one_row(tmp_path, xml(size=size))
    assert row["suffix"] == "cat<loc_100><loc_100><loc_600><loc_600>"
    assert pd.isna(row["declared_width"])


def test_no_objects(tmp_path: Path) -> None:
    row = one_row(tmp_path, xml(body=""))
    assert (row["suffix"], row["box_lines"]) == ("", "")


def test_lists_give_the_splits(tmp_path: Path) -> None:
    for stem in ("a", "b", "c", "d", "e"):
        write(tmp_path, f"Annotations/{stem}.xml", xml(f"{stem}.png"))
        write_image(tmp_path / f"JPEGImages/{stem}.png")
    write(tmp_path, "ImageSets/Main/train.txt", "a\r\nb \n\nz\n")
    write(tmp_path, "ImageSets/Main/val.txt", "c.png\n")
    write(tmp_path, "ImageSets/Main/test.txt", "a 1\n")
    write(tmp_path, "ImageSets/Main/trainval.txt", "a\nb\nc\ne\n")
    write(tmp_path, "ImageSets/Main/cat_train.txt", "e 1\n")
    found = [(row["split"], row["image"].rpartition("/")[2]) for row in rows(tmp_path)]
    assert found == [
        ("train", "a.png"), ("train", "b.png"), ("train", ""), ("valid", "c.png"), ("test", "a.png"),
        ("", "d.png"), ("", "e.png"),
    ]  # fmt: skip
    stray = rows(tmp_path)[2]
    assert (stray["file"], stray["line"]) == ("ImageSets/Main/train.txt", 4)
    assert stray["line_error"] == "'z' is listed, but there is no Annotations/z.xml"


def test_an_empty_list_is_a_split_without_images(tmp_path: Path) -> None:
    write(tmp_path, "Annotations/a.xml", xml())
    write_image(tmp_path / "JPEGImages/a.png")
    write(tmp_path, "ImageSets/Main/train.txt", "a\n")
    write(tmp_path, "ImageSets/Main/val.txt", "\n")
    manifest = read_dataset(tmp_path)
    assert (manifest.splits, manifest.table["split"].tolist()) == (("train", "valid"), ["train"])


def test_trainval_counts_where_it_is_alone(tmp_path: Path) -> None:
    write(tmp_path, "Annotations/a.xml", xml())
    write(tmp_path, "ImageSets/Main/trainval.txt", "a\n")
    assert [row["split"] for row in rows(tmp_path)] == ["train"]


def test_split_folders_that_hold_the_images_too(tmp_path: Path) -> None:
    for split in ("train", "valid", "test"):
        write(tmp_path, f"{split}/a.xml", xml())
        write_image(tmp_path / f"{split}/a.png")
    found = rows(tmp_path)
    assert [(row["split"], row["image"]) for row in found] == [
        ("train", "train/a.png"), ("valid", "valid/a.png"), ("test", "test/a.png")
    ]  # fmt: skip
    assert all("missing" not in str(row["image_error"]) for row in found)


@pytest.mark.parametrize(
    ("filename", "images", "expected"),
    [
        ("a.png", ["a.png", "A.png"], "a.png"),
        ("a", ["a.png", "b.png"], "a.png"),
        ("A.PNG", ["a.png"], "a.png"),
        ("b.JPG", ["B.jpeg", "a.png"], "B.jpeg"),
        ("nothing.jpg", ["a.png"], "a.png"),
        ("", ["A.png"], "A.png"),
        ("sub/c.png", ["sub/c.png", "a.png"], "sub/c.png"),
        ("nothing.jpg", ["b.png"], "nothing.jpg"),
        ("../../../etc/passwd", ["b.png"], "../../etc/passwd"),
        ("../../a.png", ["a.png"], "../a.png"),
        ("../JPEGImages/a.png", ["a.png"], "a.png"),
        ("/home/me/x.png", ["a.png"], "a.png"),
    ],
)
def test_finds_the_image_that_is_meant(tmp_path: Path, filename: str, images: list[str], expected: str) -> None:
    write(tmp_path, "Annotations/a.xml", xml(filename))
    for name in images:
        write_image(tmp_path / "JPEGImages" / name)
    (row,) = rows(tmp_path)
    wanted = expected if expected.startswith("..") else f"JPEGImages/{expected}"
    assert row["image"] == wanted
    assert isinstance(row["image_error"], str) == (expected not in images)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (xml().replace("<xmin>2</xmin>", ""), 6, "<bndbox> has no <xmin>"),
        (xml().replace("<xmin>2<", "<xmin>two<"), 6, "<xmin> is 'two', not a finite number"),
        (xml().replace("<xmin>2<", "<xmin>nan<"), 6, "<xmin> is 'nan', not a finite number"),
        (xml().replace("<xmin>2<", "<xmin>1_0<"), 6, "<xmin> is '1_0', not a finite number"),
        (xml().replace("<name>cat</name>", ""), 4, "an <object> has no <name>"),
        (xml(body="<object><name>cat</name></object>"), 4, "the <object> 'cat' has no <bndbox>"),
        (xml("a&#10;b.png"), 2, "<filename> holds a line break"),
        (xml()[:60], 3, "not valid XML"),
        ("", 1, "not valid XML"),
        ("\0", 1, "not valid XML"),
        (b"<annotation>\n\xff</annotation>", 2, "not valid XML"),
        ('<?xml version="1.0" encoding="nope"?><annotation/>', 1, "not valid XML"),
        ("<kml/>", 1, "not Pascal VOC: the file holds <kml>, not <annotation>"),
        ('<!DOCTYPE a [\n<!ENTITY b "c">]><annotation>&b;</annotation>', 2, "entities, which is not allowed"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', 1, "entities, which is not allowed"),
    ],
)
def test_what_cannot_be_read_stands_in_the_row(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    row = one_row(tmp_path, content)
    assert message in str(row["line_error"])
    assert (row["line"], row["suffix"]) == (line, "")


def test_what_is_not_known_is_ignored_unless_it_is_nested_too_deeply(tmp_path: Path) -> None:
    def nested(depth: int) -> str:
        return xml(body="<a>" * depth + "</a>" * depth + OBJECT)

    assert one_row(tmp_path, nested(200))["suffix"] == "cat<loc_100><loc_100><loc_600><loc_600>"
    row = one_row(tmp_path, nested(50_000))
    assert str(row["line_error"]).startswith("not valid XML: Excessive depth in document: 256, line 4")


def test_a_folder_without_annotations_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    with pytest.raises(DatasetError, match=r"no Pascal VOC annotations found; it must hold .*; it holds a\.png"):
        read_dataset(tmp_path, "voc")


@pytest.mark.parametrize("file", ["annotations.xml", "project.label_config.xml", "train/labels.xml"])
def test_xml_of_other_tools_is_not_recognised(tmp_path: Path, file: str) -> None:
    write(tmp_path, file, '<?xml version="1.0"?>\n<!-- <annotation> -->\n<View><annotation/></View>')
    with pytest.raises(DatasetError, match="no annotations found"):
        read_dataset(tmp_path)
