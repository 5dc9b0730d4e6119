"""The reader of TensorFlow's CSV: orders and names of columns, splits, and lines that are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

HEADER = "filename,width,height,class,xmin,ymin,xmax,ymax\n"
CAT = "cat<loc_100><loc_100><loc_600><loc_600>"


def write(root: Path, content: str, file: str = "train/_annotations.csv") -> None:
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_bytes(content.encode())


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def test_the_objects_of_an_image_are_one_row(tmp_path: Path) -> None:
    lines = "a.png,20,10,cat,2,1,12,6\nb.png,20,10,dog,0.5,0,20,10\n\na.png,20,10,dog,2,1,12,6\n"
    write(tmp_path, HEADER + lines)
    for name in "ab":
        write_image(tmp_path / f"train/{name}.png")
    first, second = rows(tmp_path)
    assert first["suffix"] == CAT + CAT.replace("cat", "dog")
    assert (first["split"], first["image"], first["line"], first["box_lines"]) == ("train", "train/a.png", 2, "2 5")
    assert second["suffix"] == "dog<loc_25><loc_0><loc_999><loc_999>"
    assert (first["declared_width"], first["declared_height"]) == (20, 10)


@pytest.mark.parametrize(
    "content",
    [
        "image,xmin,ymin,xmax,ymax,label\na.png,2,1,12,6,cat\n",
        '\ufeff"Filename";"Class";"XMin";"YMin";"XMax";"YMax"\r\n"a.png";"cat";2;1;12;6\r\n',
        "image_path\tclass_name\tx1\ty1\tx2\ty2\timage_id\nold/train/a.png\tcat\t2\t1\t12\t6\t7\n",
    ],
)
def test_other_orders_names_and_separators(tmp_path: Path, content: str) -> None:
    write(tmp_path, content)
    write_image(tmp_path / "train/a.png")
    (row,) = rows(tmp_path)
    assert (row["suffix"], row["image"], row["image_error"]) == (CAT, "train/a.png", None)


def test_names_of_files_give_the_splits(tmp_path: Path) -> None:
    for name in ("train", "test"):
        write(tmp_path, HEADER + f"{name}.png,20,10,cat,2,1,12,6\n", f"{name}_labels.csv")
        write_image(tmp_path / f"images/{name}/{name}.png")
    assert [(row["split"], row["image"]) for row in rows(tmp_path)] == [
        ("train", "images/train/train.png"),
        ("test", "images/test/test.png"),
    ]


def test_a_line_without_an_object_is_an_image_without_objects(tmp_path: Path) -> None:
    write(tmp_path, HEADER + "a.png,20,10,,,,,\n")
    write_image(tmp_path / "train/a.png")
    (row,) = rows(tmp_path)
    assert (row["suffix"], row["line_error"], row["image_error"]) == ("", None, None)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a.png,20,10,cat,2,1,12,", "'ymax' is '', not a finite number"),
        ("a.png,20,10,cat,2,1,12", "'ymax' is '', not a finite number"),
        ("a.png,20,10,cat,2,nan,12,6", "'ymin' is 'nan', not a finite number"),
        ("a.png,20,10,cat,2,1e308,12,6", "'ymin' is '1e308', not a finite number"),
        ("a.png,30,10,cat,2,1,12,6", "width and height of 'a.png' are not those in line 2"),
        (",20,10,cat,2,1,12,6", "'filename' is empty"),
    ],
)
def test_a_wrong_line_is_an_error_of_its_image(tmp_path: Path, line: str, message: str) -> None:
    write(tmp_path, HEADER + f"a.png,20,10,cat,2,1,12,6\n{line}\n")
    row = rows(tmp_path)[-1]
    assert message in row["line_error"]
    assert (row["line"], row["file"]) == (3, "train/_annotations.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + "a.png,20,10,cat,2,1,12,6,7\n", r"csv:2: the row has 9 values, the header 8; put a text with commas"),
        (HEADER + '"a.png,20,10,cat,2,1,12,6\n', r"csv:2: not valid CSV"),
        (HEADER, "no sample in train/_annotations.csv"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    write(tmp_path, content)
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path)


def test_a_table_of_something_else_is_not_recognised(tmp_path: Path) -> None:
    write(tmp_path, "filename,caption\na.png,x\n")
    with pytest.raises(DatasetError, match="no annotations found"):
        read_dataset(tmp_path)


def test_a_table_of_any_name_is_no_second_data_set(tmp_path: Path) -> None:
    write(tmp_path, HEADER + "a.png,20,10,cat,2,1,12,6\n", "labels.csv")
    assert [row["file"] for row in rows(tmp_path)] == ["labels.csv"]
    write(tmp_path, "<annotation><filename>a.png</filename></annotation>", "train/a.xml")
    assert [row["file"] for row in rows(tmp_path)] == ["train/a.xml"]
    assert read_dataset(tmp_path, "tf-csv").table["file"].tolist() == ["labels.csv"]
