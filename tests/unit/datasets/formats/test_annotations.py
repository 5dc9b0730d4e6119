"""What holds for the rows of every format: which texts an answer may hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.datasets.formats import read_dataset
from tests.builders import write_image

BOX = "<loc_1><loc_2><loc_3><loc_4>"


def write_named(root: Path, name: str) -> dict[str, Path]:
    """Write a set of each format that can hold a class of this name, an image and a box in each."""
    sides = "<xmin>2</xmin><ymin>1</ymin><xmax>12</xmax><ymax>6</ymax>"
    line = json.dumps({"image": "a.png", "prefix": "<OD>", "suffix": f"cat{BOX}{name}{BOX}"})
    coco = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 1, 10, 5]}],
        "categories": [{"id": 1, "name": name}],
    }
    escaped = "".join(f"&#{ord(letter)};" for letter in name)
    files = {
        "jsonl/annotations.jsonl": f"\n{line}\n",
        "coco/_annotations.coco.json": "{"
        + ",\n".join(f'"{key}": {json.dumps(part)}' for key, part in coco.items())
        + "}",
        "voc/a.xml": f"<annotation>\n<object><name>{escaped}</name><bndbox>{sides}</bndbox></object></annotation>",
        "yolo/data.yaml": f"names: [{json.dumps(name)}]\n",
        "yolo/a.txt": "\n0 0.5 0.5 0.1 0.1",
    }
    for file, content in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(content)
    folders = {format: root / format for format in ("jsonl", "coco", "voc", "yolo")}
    for folder in folders.values():
        write_image(folder / "a.png")
    return folders


@pytest.mark.parametrize("letter", ["\0", "\x08", "\x1b", "\x7f"])
def test_a_class_name_with_a_control_character_is_an_error_of_its_line(tmp_path: Path, letter: str) -> None:
    folders = write_named(tmp_path, f"c{letter}at")
    if letter != "\x7f":
        del folders["voc"]  # no XML can say them
    for folder in folders.values():
        (row,) = read_dataset(folder).table.to_dict("records")
        message = f"{f'c{letter}at'!r} in line 2 is a class name with a control character"
        assert (row["line"], row["line_error"], row["suffix"]) == (2, message, "")


@pytest.mark.parametrize("name", ["cat\n", "a\tb", "\u00fc b\u00a0c"])
def test_unusual_blanks_in_it_are_for_the_rules_to_report(tmp_path: Path, name: str) -> None:
    for folder in write_named(tmp_path, name).values():
        (row,) = read_dataset(folder).table.to_dict("records")
        assert not isinstance(row["line_error"], str)
        assert f"{name}<loc_" in row["suffix"]


def test_misspelt_tokens_of_an_answer_are_for_the_rules_to_report(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    line = json.dumps({"image": "a.png", "prefix": "<OD>", "suffix": f"\0<loc_x>cat{BOX}"})
    (tmp_path / "annotations.jsonl").write_text(line)
    (row,) = read_dataset(tmp_path).table.to_dict("records")
    assert not isinstance(row["line_error"], str)


def test_control_characters_may_stand_in_other_answers(tmp_path: Path) -> None:
    line = json.dumps({"image": "a.png", "prefix": "<OCR>", "suffix": "two\nlines\tand a tab"})
    (tmp_path / "annotations.jsonl").write_text(line)
    assert read_dataset(tmp_path).table["suffix"].tolist() == ["two\nlines\tand a tab"]
