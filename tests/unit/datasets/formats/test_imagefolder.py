"""The reader of Hugging Face image folders: objects, captions, questions, class names, and lines that are wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image, write_lines

OBJECTS = {"bbox": [[2, 1, 10, 5]], "categories": [0]}
BOX = "<loc_100><loc_100><loc_600><loc_600>"
CARD = """---
dataset_info:
  features:
  - name: mood
    dtype: {class_label: {names: {'0': good}}}
  - name: objects
    sequence:
    - name: categories
      dtype:
        class_label:
          names:
            '0': cat
            '1': dog
---
# A set
"""


def rows(root: Path) -> list[dict[str, Any]]:
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def read(root: Path, *lines: Any) -> list[dict[str, Any]]:
    write_lines(root / "train/metadata.jsonl", lines)
    write_image(root / "train/a.png")
    return rows(root)


def line(**values: Any) -> dict[str, Any]:
    return {"file_name": "a.png", **values}


def test_boxes_are_x_y_width_height(tmp_path: Path) -> None:
    (row,) = read(tmp_path, line(image_id=1, width=20, height=10, objects={**OBJECTS, "id": [1], "area": [50]}))
    assert (row["prefix"], row["suffix"], row["split"], row["image"]) == ("<OD>", f"0{BOX}", "train", "train/a.png")
    assert (row["file"], row["line"], row["box_lines"]) == ("train/metadata.jsonl", 1, "1")


def test_objects_may_be_a_list(tmp_path: Path) -> None:
    (row,) = read(tmp_path, line(objects=[{"bbox": [2, 1, 10, 5], "category": "cat"}]))
    assert row["suffix"] == f"cat{BOX}"


def test_no_objects(tmp_path: Path) -> None:
    (row,) = read(tmp_path, line(objects={"bbox": [], "categories": []}))
    assert (row["suffix"], row["line_error"]) == ("", None)


def test_the_card_names_the_classes(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(CARD)
    good, bad = read(tmp_path, line(objects=OBJECTS), line(objects={**OBJECTS, "categories": [2]}))
    assert good["suffix"] == f"cat{BOX}"
    assert bad["line_error"] == "the category 2 is not one of the 2 names of the card"


def test_captions_and_questions(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        line(text="a cat", objects=OBJECTS),
        line(question="how many?", answers=["3", "two", "two"]),
        line(question="what?", answer="cat", caption="one cat"),
    )
    assert [(row["prefix"], row["suffix"], row["line"]) for row in found] == [
        ("<OD>", f"0{BOX}", 1),
        ("<CAPTION>", "a cat", 1),
        ("<VQA>how many?", "two", 2),
        ("<CAPTION>", "one cat", 3),
        ("<VQA>what?", "cat", 3),
    ]


def test_csv_and_splits_in_file_names(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text('file_name,text\ntrain/a.png,"a cat, red"\nvalidation/b.png,a dog\n')
    for name in ("train/a", "validation/b"):
        write_image(tmp_path / f"{name}.png")
    assert [(row["split"], row["image"], row["suffix"], row["line"]) for row in rows(tmp_path)] == [
        ("train", "train/a.png", "a cat, red", 2),
        ("valid", "validation/b.png", "a dog", 3),
    ]


def test_folders_below_data(tmp_path: Path) -> None:
    write_lines(tmp_path / "data/test/metadata.jsonl", [line(text="a cat")])
    write_image(tmp_path / "data/test/a.png")
    (row,) = rows(tmp_path)
    assert (row["split"], row["image"]) == ("test", "data/test/a.png")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": 1}, "there is no 'objects', 'text' or 'question' with 'answer', only 'file_name', 'label'"),
        ({"objects": {"bbox": [[1, 2, 3, 4]]}}, "'objects' has no 'categories', only 'bbox'"),
        ({"objects": {**OBJECTS, "categories": []}}, "not a list of each with the same length"),
        ({"objects": {**OBJECTS, "bbox": [[1, 2, 3]]}}, "a bbox is [1, 2, 3], not [x, y, width, height]"),
        ({"objects": {**OBJECTS, "bbox": [[1, 2, 3, 1e308]]}}, "a number of bbox is 1e+308, not a finite number"),
        ({"objects": {**OBJECTS, "categories": [True]}}, "a category is True, not a text"),
        ({"objects": ["cat"]}, "'objects' is ['cat'], not a list of JSON objects"),
        ({"text": 3}, "the caption is 3, not a text"),
        ({"question": "what?"}, "an answer is None, not a text"),
        ({"question": "what?", "answers": []}, "'answers' is empty"),
        ({"file_name": "", "text": "x"}, "'file_name' is empty"),
    ],
)
def test_a_wrong_line_is_an_error_of_its_row(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    good, bad = read(tmp_path, line(text="a cat"), line(**values))
    assert good["line_error"] is None
    assert message in bad["line_error"]
    assert (bad["line"], bad["suffix"]) == (2, "")


def test_a_line_that_is_not_json(tmp_path: Path) -> None:
    good, bad = read(tmp_path, line(text="a cat"), '{"file_name": ')
    assert (good["suffix"], bad["line"]) == ("a cat", 2)
    assert bad["line_error"].startswith("not valid JSON")


@pytest.mark.parametrize("file", ["metadata.csv", "metadata.jsonl"])
def test_metadata_of_something_else_are_not_recognised(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_text("id,camera\n1,front\n")
    with pytest.raises(DatasetError, match="no annotations found"):
        read_dataset(tmp_path)
