"""The LabelMe reader: its layouts, the shapes that have a box, and files that are wrong."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

BOX: dict[str, Any] = {
    "label": "cat",
    "points": [[12, 6], [2, 1]],
    "shape_type": "rectangle",
    "group_id": None,
    "flags": {},
}
CAT = "cat<loc_100><loc_100><loc_600><loc_600>"


def write(root: Path, file: str, *shapes: Any, **others: Any) -> None:
    """Write a file as LabelMe does, with a shape on each line."""
    head: dict[str, Any] = {"version": "5.4.1", "flags": {}, "imagePath": "a.png", "imageData": None, "imageHeight": 10}
    values = {**head, "imageWidth": 20, **others}
    parts = ",\n".join(json.dumps(shape) for shape in shapes)
    (root / file).parent.mkdir(parents=True, exist_ok=True)
    (root / file).write_text(json.dumps(values)[:-1] + f', "shapes": [\n{parts}\n]}}')


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def one_row(root: Path, *shapes: Any, **others: Any) -> dict[str, Any]:
    write(root, "a.json", *shapes, **others)
    write_image(root / "a.png")
    (row,) = rows(root)
    return row


def test_corners_in_any_order(tmp_path: Path) -> None:
    row = one_row(tmp_path, BOX, {**BOX, "label": " dog ", "points": [[0.5, 0], [20, 10.0]]})
    assert row["suffix"] == CAT + " dog <loc_25><loc_0><loc_999><loc_999>"
    assert (row["split"], row["image"], row["file"], row["prefix"]) == ("", "a.png", "a.json", "<OD>")
    assert (row["line"], row["box_lines"], row["declared_width"], row["declared_height"]) == (1, "2 3", 20, 10)


@pytest.mark.parametrize(
    ("kind", "points", "bins"),
    [
        ("polygon", [[2, 1], [12, 3], [5, 6]], (100, 100, 600, 600)),
        (None, [[2, 1], [12, 3], [5, 6]], (100, 100, 600, 600)),
        ("rectangle", [[2, 1], [12, 1], [12, 6], [2, 6]], (100, 100, 600, 600)),
        ("circle", [[10, 5], [13, 1]], (250, 0, 750, 999)),
        ("circle", [[2, 5], [2, 2]], (0, 200, 250, 800)),  # cut off at the edge of the image
        ("mask", [[2, 1], [12, 6]], (100, 100, 600, 600)),
        ("oriented_rectangle", [[2, 3], [5, 1], [12, 4], [9, 6]], (100, 100, 600, 600)),
    ],
)
def test_shapes_have_the_box_around_them(
    tmp_path: Path, kind: str | None, points: Any, bins: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        row = one_row(tmp_path, {"label": "cat", "points": points, "shape_type": kind})
    assert row["suffix"] == "cat" + "".join(f"<loc_{each}>" for each in bins)
    assert ("read as the box around it: 1 of" in caplog.text) == (kind != "rectangle")


def test_a_file_without_shapes_is_an_image_without_objects(tmp_path: Path) -> None:
    row = one_row(tmp_path)
    assert (row["suffix"], row["line_error"]) == ("", None)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ({**BOX, "shape_type": "line"}, "the shape 'cat' is a 'line', which has no box; draw a rectangle or a polygon"),
        ({**BOX, "shape_type": 3}, "the shape 'cat' is a 3, which has no box"),
        ({**BOX, "points": [[1, 2]]}, "'points' of the rectangle 'cat' has 1 points, not 2 or more"),
        ({**BOX, "points": [[1, 2], [3, float("nan")]]}, "is nan, not a finite number"),
        ({**BOX, "points": [[1, 2], [3, 1e308]]}, "is 1e+308, not a finite number"),
        ({**BOX, "points": [1, 2, 3, 4]}, "'points' of the rectangle 'cat' is [1, 2, 3, 4], not a list of [x, y]"),
        ({"points": [[1, 2], [3, 4]]}, "the 'label' of a shape is None, not a text"),
        ("cat", "a shape is 'cat', not a JSON object"),
    ],
)
def test_a_wrong_shape_is_an_error_of_its_line(tmp_path: Path, shape: Any, message: str) -> None:
    row = one_row(tmp_path, BOX, shape)
    assert message in row["line_error"]
    assert (row["line"], row["suffix"], row["image"]) == (3, "", "a.png")


def test_a_file_that_is_not_json_spoils_no_other(tmp_path: Path) -> None:
    write(tmp_path, "a.json", BOX)
    (tmp_path / "b.json").write_text('{"shapes": [\n')
    (tmp_path / "c.json").write_text("{}")
    for name in "abc":
        write_image(tmp_path / f"{name}.png")
    good, broken, other = rows(tmp_path)
    assert good["suffix"] == CAT
    assert broken["line_error"].startswith("not valid JSON")
    assert broken["line"] == 2
    assert "no 'imagePath': not a file of LabelMe; move it out of the data set" in other["line_error"]


def test_splits_and_folders_of_their_own(tmp_path: Path) -> None:
    write(tmp_path, "labels/train/a.json", BOX, imagePath="..\\..\\images\\train\\a.png")
    write(tmp_path, "labels/val/b.json", BOX, imagePath="C:\\photos\\b.png")
    for name in ("train/a", "val/b"):
        write_image(tmp_path / f"images/{name}.png")
    found = [(row["split"], row["image"], row["image_error"]) for row in rows(tmp_path)]
    assert found == [("train", "images/train/a.png", None), ("valid", "images/val/b.png", None)]


def test_what_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"must hold a \.json file of LabelMe for each image.*it holds nothing"):
        read_dataset(tmp_path, "labelme")
