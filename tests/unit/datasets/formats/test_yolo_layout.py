"""YOLO sets as tools write them without a data.yaml, or with one that names no classes."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.formats.yolo_layout import find_class_names, has_label_files, split_sources
from florence2.errors import DatasetError
from tests.builders import write_image

CAT, DOG = "cat<loc_100><loc_100><loc_600><loc_600>", "dog<loc_100><loc_100><loc_600><loc_600>"
BOX = "{} 0.35 0.35 0.5 0.5\n"
NAMES = {"classes.txt": "cat\ndog\n"}
NOTES = {"notes.json": '{"categories": [{"id": 0, "name": "cat"}], "info": {"contributor": "Label Studio"}}'}
DARKNET = {"obj.names": "cat\ndog\n", "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\n"}

LAYOUTS: dict[str, tuple[dict[str, str], list[tuple[str, str, str]]]] = {
    "Label Studio": (NAMES | NOTES, [("", "images/a.png", "labels/a.txt"), ("", "images/b.png", "labels/b.txt")]),
    "labelImg, beside": (NAMES, [("", "a.png", "a.txt"), ("", "b.png", "b.txt")]),
    "classes beside labels": (
        {"labels/classes.txt": "cat\ndog\n"},
        [("", "images/a.png", "labels/a.txt"), ("", "images/b.png", "labels/b.txt")],
    ),
    "split folders": (
        NAMES,
        [("train", "train/images/a.png", "train/labels/a.txt"), ("valid", "val/images/b.png", "val/labels/b.txt")],
    ),
    "splits below": (
        NAMES,
        [("train", "images/train/a.png", "labels/train/a.txt"), ("valid", "images/val/b.png", "labels/val/b.txt")],
    ),
    "splits, beside": (NAMES, [("train", "train/a.png", "train/a.txt"), ("test", "test/b.png", "test/b.txt")]),
    "CVAT": (
        DARKNET | {"train.txt": "data/obj_train_data/a.png\ndata/obj_train_data/b.png\n"},
        [
            ("train", "obj_train_data/a.png", "obj_train_data/a.txt"),
            ("train", "obj_train_data/b.png", "obj_train_data/b.txt"),
        ],
    ),
    "in images, beside": (NAMES, [("", "images/a.png", "images/a.txt"), ("", "images/b.png", "images/b.txt")]),
    "photos": (NAMES, [("", "photos/a.png", "labels/a.txt"), ("", "photos/b.png", "labels/b.txt")]),
    "any yaml": (
        {"my set.yml": "names: {0: cat, 1: dog}\ntrain: train.txt\n", "train.txt": "./images/a.png\n./images/b.png\n"},
        [("train", "images/a.png", "labels/a.txt"), ("train", "images/b.png", "labels/b.txt")],
    ),
    "yaml and classes.txt": (
        NAMES | {"data.yaml": "train: images\nnc: 2\n"},
        [("train", "images/a.png", "labels/a.txt"), ("train", "images/b.png", "labels/b.txt")],
    ),
}


def write_set(root: Path, texts: dict[str, str], samples: list[tuple[str, str, str]]) -> None:
    for file, text in texts.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    for number, (_, image, labels) in enumerate(samples):
        write_image(root / image)
        (root / labels).parent.mkdir(parents=True, exist_ok=True)
        (root / labels).write_text(BOX.format(number))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_is_read_without_a_warning(tmp_path: Path, layout: str, caplog: pytest.LogCaptureFixture) -> None:
    write_set(tmp_path, *LAYOUTS[layout])
    with caplog.at_level(logging.WARNING):
        table = read_dataset(tmp_path).table
    assert caplog.text == ""
    found = list(zip(table["split"], table["image"], table["file"], strict=True))
    assert found == LAYOUTS[layout][1]
    assert table["suffix"].tolist() == [CAT, DOG]
    assert table[["image_error", "line_error"]].isna().all(axis=None)


def test_without_names_classes_are_called_by_number_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_set(tmp_path, {}, LAYOUTS["Label Studio"][1])
    assert read_dataset(tmp_path).table["suffix"].tolist() == [
        CAT.replace("cat", "class 0"),
        DOG.replace("dog", "class 1"),
    ]
    assert "nothing names the classes, so they are called class 0, class 1 and so on; write names:" in caplog.text
    (tmp_path / "labels/a.txt").write_text("-1 0.5 0.5 0.1 0.1\n")
    assert (
        "the class in line 1 is '-1', not a class number" in read_dataset(tmp_path).table["line_error"].dropna().item()
    )


def test_a_class_beyond_the_list_names_the_list(tmp_path: Path) -> None:
    write_set(tmp_path, {"classes.txt": "cat\n"}, LAYOUTS["Label Studio"][1])
    error = read_dataset(tmp_path).table["line_error"].dropna().item()
    assert error == "the class in line 1 is '1', but classes.txt names 0 to 0"


def test_a_name_with_a_control_character_is_refused(tmp_path: Path) -> None:
    (tmp_path / "classes.txt").write_text("cat\na\0b\n")
    with pytest.raises(DatasetError, match=r"classes\.txt:2: the class name holds a control character"):
        find_class_names(tmp_path)


@pytest.mark.parametrize("text", ["", "a text\n", "0 0.5 0.5\n", "Car 0.0 0 1 2 3 4 5 6 7 8 9 0 1 2\n"])
def test_other_texts_are_no_labels(tmp_path: Path, text: str) -> None:
    write_set(tmp_path, {"labels/a.txt": text, "images/b.txt": BOX.format(0)}, [])
    write_image(tmp_path / "images/a.png")
    assert not has_label_files(tmp_path)


def test_a_set_that_another_format_recognises_is_no_guess(tmp_path: Path) -> None:
    write_set(tmp_path, {"result.json": '{"images": [{"id": 1, "file_name": "a.png"}]}'}, LAYOUTS["Label Studio"][1])
    assert read_dataset(tmp_path).table["file"].tolist() == ["result.json"]
    assert len(read_dataset(tmp_path, "yolo")) == 2


def test_the_folder_itself_is_the_source_where_no_split_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text("a text about trains\n")
    assert split_sources(tmp_path) == (("", ""),)
