"""The ids of a COCO data set are found by the names that they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats.coco_ids import CocoIds, coco_id, read_coco_ids
from florence2.datasets.formats.values import BadValueError
from florence2.errors import DatasetError


def ids(*names: str, classes: tuple[str, ...] = ("cat",), annotated: frozenset[Any] = frozenset()) -> CocoIds:
    return CocoIds(dict(enumerate(names, 1)), dict(enumerate(classes, 1)), annotated)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.jpg", 1),
        ("photos/a.jpg", 1),
        ("/data/x/sub/b.jpg", 2),
        ("sub\\b.jpg", 2),
        ("./a.jpg", 1),
        ("b", 2),
        ("c.jpg", None),
        ("", None),
    ],
)
def test_an_image_is_found_by_the_end_of_its_path(name: str, expected: int | None) -> None:
    assert ids("a.jpg", "images\\sub\\b.jpg").image_named(name) == expected


def test_the_longest_common_end_of_two_paths_decides() -> None:
    assert ids("x/a.jpg", "y/a.jpg").image_named("photos/y/a.jpg") == 2


def test_a_file_name_that_fits_several_images_is_an_error_that_names_them() -> None:
    with pytest.raises(BadValueError, match=r"file name 'a.jpg' fits 2 ids: 1 \('x/a.jpg'\), 2 \('y/a.jpg'\)"):
        ids("x/a.jpg", "y/a.jpg").image_named("a.jpg")


def test_a_class_is_found_by_its_name_with_any_blanks() -> None:
    assert ids("a.jpg", classes=("dog", "red  cat")).category_named(" red cat") == 2
    assert ids("a.jpg").category_named("Cat") is None


def test_of_two_categories_with_one_name_the_annotated_one_is_found() -> None:
    assert ids("a.jpg", classes=("cat", "cat"), annotated=frozenset({2})).category_named("cat") == 2
    with pytest.raises(BadValueError, match="class 'cat' fits 2 ids"):
        ids("a.jpg", classes=("cat", "cat")).category_named("cat")


def write(file: Path, **parts: Any) -> Path:
    images, categories = [{"id": 7, "file_name": "a.jpg"}], [{"id": "c", "name": "cat"}]
    file.write_text(json.dumps({"images": images, "categories": categories, "annotations": []} | parts, indent=0))
    return file


def test_a_data_set_is_read(tmp_path: Path) -> None:
    found = read_coco_ids(write(tmp_path / "a.json", annotations=[{"category_id": "c"}]))
    assert found == CocoIds({7: "a.jpg"}, {"c": "cat"}, frozenset({"c"}))


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"images": []}, "a.json: lacks images"),
        ({"categories": []}, "a.json: lacks categories"),
        ({"images": [{"id": 7}]}, r"a.json:\d+: is not a COCO data set \(file_name is None, not a text\)"),
        ({"images": [{"id": 7, "file_name": "a"}] * 2}, "id 7 of the images occurs twice"),
        ({"images": [3]}, "3 is not a JSON object"),
    ],
)
def test_what_is_wrong_with_a_data_set_is_named(tmp_path: Path, parts: dict[str, Any], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        read_coco_ids(write(tmp_path / "a.json", **parts))


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"none.json: cannot be read \(No such file"):
        read_coco_ids(tmp_path / "none.json")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DatasetError, match=r"a.json:1: is not a COCO data set \(Expecting|a.json:1: .*expecting"):
        read_coco_ids(tmp_path / "a.json")


def test_an_id_is_a_whole_number_or_a_text() -> None:
    assert (coco_id({"id": 0}, "id"), coco_id({"id": "a"}, "id")) == (0, "a")
    for part in ({}, {"id": True}, {"id": 1.5}, 3):
        with pytest.raises(BadValueError):
            coco_id(part, "id")
