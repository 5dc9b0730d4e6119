"""The COCO reader: boxes as the file has them, and what is wrong with them by line."""

from __future__ import annotations

import gc
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

CATEGORIES = [{"id": 0, "name": "animals", "supercategory": "none"}, {"id": 1, "name": "cat"}, {"id": 7, "name": "dog"}]


def image(number: int = 1, **values: Any) -> dict[str, Any]:
    return {"id": number, "file_name": f"{number}.png", "width": 20, "height": 10} | values


def thing(number: int = 1, **values: Any) -> dict[str, Any]:
    return {"id": number, "image_id": 1, "category_id": 1, "bbox": [2, 1, 10, 5], "iscrowd": 0} | values


def write_coco_file(
    file: Path, images: list[Any], things: list[Any], categories: list[Any] | None = None, folder: Path | None = None
) -> Path:
    """Write a file with an element a line, and its images: line 3 is the first image, 3 + n + 2 the first object."""
    file.parent.mkdir(parents=True, exist_ok=True)
    parts = {"images": images, "annotations": things, "categories": CATEGORIES if categories is None else categories}
    arrays = [f'"{key}": [\n' + ",\n".join(map(json.dumps, part)) + "\n]" for key, part in parts.items()]
    file.write_text("{\n" + ",\n".join(arrays) + "\n}\n")
    for each in images:
        if isinstance(each, dict) and str(each.get("file_name")).endswith("png"):
            write_image((folder or file.parent) / each["file_name"])
    return file


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root, "coco").table
    return [{str(key): value for key, value in row.items()} for row in table.astype(object).to_dict("records")]


def one_row(root: Path, *things: Any, **values: Any) -> dict[str, Any]:
    """Read a set of one image with these objects."""
    write_coco_file(root / "train/_annotations.coco.json", [image(**values)], list(things))
    found = rows(root)
    assert len(found) == 1
    return found[0]


def test_reads_a_row_for_each_image_with_the_lines_of_its_boxes(tmp_path: Path) -> None:
    things = [thing(1), thing(2, image_id=2), thing(3, bbox=[0.5, 0, 19.5, 10.0], category_id=7)]
    write_coco_file(tmp_path / "train/_annotations.coco.json", [image(1), image(2), image(3)], things)
    write_coco_file(tmp_path / "valid/_annotations.coco.json", [image(1)], [])
    manifest = read_dataset(tmp_path)
    first, second, third, fourth = rows(tmp_path)
    assert first["suffix"] == "cat<loc_100><loc_100><loc_600><loc_600>dog<loc_25><loc_0><loc_999><loc_999>"
    assert (first["split"], first["image"], first["prefix"], first["line"]) == ("train", "train/1.png", "<OD>", 3)
    assert (first["box_lines"], second["box_lines"], third["box_lines"]) == ("8:1 10:3", "9:2", "")
    assert (third["suffix"], third["declared_width"], third["declared_height"]) == ("", 20, 10)
    assert (fourth["split"], fourth["image"]) == ("valid", "valid/1.png")
    assert manifest.splits == ("train", "valid")
    assert manifest.table[["line_error", "image_error"]].isna().all(axis=None)


@pytest.mark.parametrize("folder", ["train2017", "images/train2017", "train", "images", ""])
def test_standard_layout_finds_the_folder_of_the_images(tmp_path: Path, folder: str) -> None:
    write_coco_file(tmp_path / "annotations/instances_train2017.json", [image()], [thing()], folder=tmp_path / folder)
    (tmp_path / "annotations/captions_train2017.json").write_text('{"images": [], "annotations": []}')
    found = rows(tmp_path)
    assert [(row["split"], row["image"]) for row in found] == [("train", f"{folder}/1.png".lstrip("/"))]


def test_any_detection_file_in_annotations_is_read(tmp_path: Path) -> None:
    write_coco_file(tmp_path / "annotations/fish_test.json", [image()], [thing()], folder=tmp_path / "images")
    (tmp_path / "annotations/notes.json").write_text('{"author": "me"}')
    assert [row["split"] for row in rows(tmp_path)] == ["test"]


def test_crowds_are_left_out_and_polygons_have_the_box_around_them(tmp_path: Path) -> None:
    crowd = thing(1, iscrowd=1, segmentation={"counts": [1], "size": [10, 20]})
    polygon = {"image_id": 1, "category_id": 1, "segmentation": [[2, 1, 12, 3, 4, 6], [4, 4, 5, 4, 5, 8]]}
    row = one_row(tmp_path, crowd, polygon)
    assert row["suffix"] == "cat<loc_100><loc_100><loc_600><loc_800>"


def test_an_image_with_crowds_alone_is_neither_labelled_nor_empty(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    crowd = {"iscrowd": 1, "segmentation": {"counts": [1], "size": [10, 20]}}
    things = [
        thing(1, **crowd),
        thing(2, **crowd),
        thing(3, **crowd, image_id=2),
        thing(4, image_id=2),
        thing(5, **crowd, image_id=4),
        thing(6, bbox=[1], image_id=4),
    ]
    images = [image(1), image(2), image(3), image(4)]
    write_coco_file(tmp_path / "train/_annotations.coco.json", images, things)
    with caplog.at_level("INFO"):
        found = rows(tmp_path)
    # The second has an object, the third nothing at all, and the fourth one that cannot be read.
    assert [row["image"] for row in found] == ["train/2.png", "train/3.png", "train/4.png"]
    assert [row["box_lines"] for row in found] == ["12:4", "", None]
    assert "_annotations.coco.json: left out 4 crowd boxes, and 1 image with nothing else on it" in caplog.text


def test_a_class_name_that_would_make_boxes_of_its_own_is_refused(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat<loc_1><loc_2><loc_3><loc_4>dog"}, {"id": 2, "name": "cat"}]
    file = tmp_path / "_annotations.coco.json"
    write_coco_file(file, [image(1), image(2)], [thing(1), thing(2, image_id=2, category_id=2)], categories)
    bad, good = rows(tmp_path)
    assert bad["line_error"] == (
        "'cat<loc_1><loc_2><loc_3><loc_4>dog' in line 7 holds '<loc_', which would be read as a location"
    )
    assert (bad["line"], bad["suffix"], bad["image"], bad["box_lines"]) == (7, "", "1.png", None)
    assert (good["line_error"], good["suffix"]) == (None, "cat<loc_100><loc_100><loc_600><loc_600>")


def test_a_box_that_leaves_the_image_keeps_its_bins(tmp_path: Path) -> None:
    row = one_row(tmp_path, thing(bbox=[-1, 0, 23, 10]))
    assert row["suffix"] == "cat<loc_-50><loc_0><loc_1100><loc_999>"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"bbox": [1, 2, 3]}, "bbox is [1, 2, 3], not four numbers"),
        ({"bbox": "1 2 3 4"}, "bbox is '1 2 3 4', not four numbers"),
        ({"bbox": [1, 2, 3, None]}, "a number of bbox is None, not a finite number"),
        ({"bbox": [1, 2, 3, float("nan")]}, "a number of bbox is nan, not a finite number"),
        ({"bbox": [1, 2, 3, float("inf")]}, "a number of bbox is inf, not a finite number"),
        ({"bbox": [1, 2, 3, 10**400]}, "not a finite number"),
        ({"bbox": [1, 2, 3, True]}, "a number of bbox is True, not a finite number"),
        ({"bbox": None, "segmentation": {"counts": "x"}}, "run-length segmentation is not decoded"),
        ({"bbox": [], "segmentation": []}, "not a list of polygons"),
        ({"bbox": None, "segmentation": [[1, 2, 3, 4, 5]]}, "not a list of polygons"),
        ({"category_id": 9}, "category_id 9 is not one of the categories"),
        ({"category_id": [1]}, "category_id is [1], not a whole number"),
        ({"id": 1}, "annotation id 1 was used in line 6 already"),
    ],
)
def test_what_is_wrong_with_an_object_stands_in_its_images_row(
    tmp_path: Path, broken: dict[str, Any], message: str
) -> None:
    row = one_row(tmp_path, thing(1), thing(2, **broken))
    assert message in row["line_error"]
    assert (row["line"], row["image"], row["suffix"]) == (7, "train/1.png", "")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (thing(image_id=5), "annotation id 1: image_id 5 is not one of the images"),
        (thing(image_id={}), "image_id is {}, not a whole number"),
        ({"id": 1}, "the annotation has no 'image_id'"),
        ([1, 2], "the annotation is [1, 2], not a JSON object"),
    ],
)
def test_an_object_of_no_image_has_a_row_of_its_own(tmp_path: Path, broken: Any, message: str) -> None:
    write_coco_file(tmp_path / "_annotations.coco.json", [image()], [thing(9), broken])
    good, bad = rows(tmp_path)
    assert (good["suffix"], good["split"]) == ("cat<loc_100><loc_100><loc_600><loc_600>", "")
    assert (bad["line_error"], bad["line"], bad["image"]) == (message, 7, "")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"file_name": "a\nb.png"}, "file_name holds a line break"),
        ({"file_name": ""}, "file_name is empty"),
        ({"file_name": 3}, "file_name is 3, not a text"),
        ({"id": None}, "id of the image is None"),
    ],
)
def test_an_image_that_cannot_be_used_is_a_row_with_its_error(
    tmp_path: Path, broken: dict[str, Any], message: str
) -> None:
    write_coco_file(tmp_path / "_annotations.coco.json", [image(1), image(2) | broken], [], folder=tmp_path / "x")
    assert [message in str(row["line_error"]) for row in rows(tmp_path)] == [False, True]


@pytest.mark.parametrize("size", [(0, 10), (20, -1), (math.nan, 10), (20, None), ("x", 10), (10**10, 10)])
def test_a_size_that_is_none_stands_in_the_row_of_its_image(tmp_path: Path, size: tuple[Any, Any]) -> None:
    row = one_row(tmp_path, thing(), width=size[0], height=size[1])
    assert row["line_error"] == f"width is {size[0]!r} and height is {size[1]!r}, which is not a size in pixels"
    assert (row["line"], row["image"], row["suffix"]) == (3, "train/1.png", "")


def test_without_a_declared_size_that_of_the_image_counts(tmp_path: Path) -> None:
    row = one_row(tmp_path, thing(), width=None, height=None)
    assert (row["line_error"], row["suffix"]) == (None, "cat<loc_100><loc_100><loc_600><loc_600>")


def test_strays_beyond_a_thousand_are_counted_in_one_row(tmp_path: Path) -> None:
    write_coco_file(tmp_path / "train/_annotations.coco.json", [image()], [{}] * 5000)
    found = rows(tmp_path)
    assert len(found) == 1 + 1000 + 1
    assert found[-1]["line_error"] == "4000 more parts of the file are wrong or belong to none of its images"


def test_each_of_several_problems_of_an_image_names_its_line(tmp_path: Path) -> None:
    row = one_row(tmp_path, thing(1, bbox=[1, 2, 3]), thing(2, bbox="x"))
    parts = str(row["line_error"]).split("; ")
    assert [bool(re.match(r"line \d+: annotation id \d: bbox is ", part)) for part in parts] == [True, True]


def test_two_images_with_one_id_are_both_doubtful(tmp_path: Path) -> None:
    write_coco_file(tmp_path / "_annotations.coco.json", [image(1), image(1, file_name="b.png")], [thing()])
    assert [(row["line"], row["line_error"]) for row in rows(tmp_path)] == [
        (3, "image id 1 is used again in line 4"),
        (4, "image id 1 was used in line 3 already"),
    ]


def test_broken_categories(tmp_path: Path) -> None:
    categories = [{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}, {"id": 2, "name": None}]
    write_coco_file(tmp_path / "_annotations.coco.json", [image()], [thing()], categories)
    assert [(row["line"], row["line_error"]) for row in rows(tmp_path)] == [
        (6, "annotation id 1: category id 1 has two names"),
        (11, "name of the category is None, not a text"),
    ]


def test_an_image_outside_is_not_touched(tmp_path: Path) -> None:
    write_image(tmp_path / "x.png")
    file = tmp_path / "set/train/_annotations.coco.json"
    write_coco_file(file, [image(1, file_name="../../x.png"), image(2, file_name=str(tmp_path / "x.png"))], [])
    assert [row["image_error"].partition(":")[0] for row in rows(tmp_path / "set")] == ["outside"] * 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"images": [{"id": 1,\n "file_name": "a.p', r"_annotations\.coco\.json:2: not valid JSON"),
        (b'{"images": [\n' + b"[" * 100_000, "not valid JSON"),
        (b'{"images": []} x', "extra data"),
        (b'{"images": [],\n\n "images": []}', r"coco\.json:3: not valid JSON, the key 'images' occurs twice"),
        (b"\xff\xfe{}", "not valid UTF-8; save it as UTF-8"),
        (b"3", "expecting an object or an array"),
        (b'{"images": [' + b"1" * 5000 + b"]}", "not valid JSON"),
        (b'{"info": {}}', "no image is listed"),
        (b"", "not valid JSON"),
    ],
)
def test_a_file_that_is_no_coco_at_all_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "_annotations.coco.json").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_dataset(tmp_path)
    assert gc.isenabled()  # reading pauses it
