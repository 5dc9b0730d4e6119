"""The reader of Label Studio's JSON: images and their addresses, annotations that count, answers, and JSON-MIN."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from florence2.datasets.formats import read_dataset
from florence2.errors import DatasetError
from tests.builders import write_image

SIZE = {"original_width": 20, "original_height": 10, "image_rotation": 0}
VALUE = {"x": 10, "y": 10, "width": 50, "height": 50, "rotation": 0}
BOX = {**SIZE, "type": "rectanglelabels", "id": "r", "value": {**VALUE, "rectanglelabels": ["cat"]}}
CAT = "cat<loc_100><loc_100><loc_600><loc_600>"
MINIMAL = {"id": 1, "image": "a.png", "annotator": 1, "annotation_id": 1}


def task(*results: Any, image: str = "a.png", data: Any = None, **annotation: Any) -> dict[str, Any]:
    annotations = [{"id": 1, "result": list(results), **annotation}]
    return {"id": 1, "annotations": annotations, "data": {"image": image, **(data or {})}}


def choice(text: str, name: str = "answer") -> dict[str, Any]:
    return {"type": "choices", "from_name": name, "to_name": "image", "value": {"choices": [text]}}


def text(*texts: str, name: str = "answer") -> dict[str, Any]:
    return {"type": "textarea", "from_name": name, "to_name": "image", "value": {"text": list(texts)}}


def read(root: Path, *tasks: Any) -> list[dict[str, Any]]:
    """Read tasks, one on each line from the second, with an image images/a.png."""
    write_image(root / "images/a.png")
    (root / "project-1.json").write_text("[\n" + ",\n".join(json.dumps(each) for each in tasks) + "\n]")
    table = read_dataset(root).table.astype(object)
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def test_boxes_in_percent(tmp_path: Path) -> None:
    row, empty = read(tmp_path, task(BOX), task())
    assert (row["suffix"], row["prefix"], row["image"]) == (CAT, "<OD>", "images/a.png")
    assert (row["file"], row["line"], row["declared_width"]) == ("project-1.json", 2, 20)
    assert (empty["suffix"], empty["line"], empty["line_error"]) == ("", 3, None)


@pytest.mark.parametrize(
    "image",
    [
        "/data/upload/3/0a1b2c3d-a.png",
        "/data/local-files/?d=photos/images/a.png",
        "http://localhost:8080/data/local-files/?d=photos%5Cimages%5Ca.png",
        "s3://bucket/photos/a.png",
        "https://host/photos/a.png?token=x",
        "C:\\photos\\a.png",
        "photos/A.PNG",
    ],
)
def test_addresses_of_images(tmp_path: Path, image: str) -> None:
    (row,) = read(tmp_path, task(BOX, image=image))
    assert (row["image"], row["image_error"]) == ("images/a.png", None)


def test_an_image_that_is_not_there_is_named(tmp_path: Path) -> None:
    (row,) = read(tmp_path, task(BOX, image="/data/upload/3/0a1b2c3d-b.png"))
    assert (row["image"], "missing" in row["image_error"]) == ("0a1b2c3d-b.png", True)


@pytest.mark.parametrize(
    ("kind", "value", "bins"),
    [
        ("polygonlabels", {"points": [[10, 10], [60, 30], [20, 60]]}, (100, 100, 600, 600)),
        ("ellipselabels", {"x": 50, "y": 50, "radiusX": 20, "radiusY": 10, "rotation": 0}, (300, 400, 700, 600)),
        ("rectanglelabels", {**VALUE, "x": 50, "width": 10, "height": 80, "rotation": 90}, (100, 100, 500, 300)),
        ("rectanglelabels", {**VALUE, "x": 1, "rotation": 45}, (0, 100, 363, 999)),  # cut off at the edges
        ("labels", VALUE, (100, 100, 600, 600)),
    ],
)
def test_shapes_have_the_box_around_them(
    tmp_path: Path, kind: str, value: Any, bins: tuple[int, ...], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        (row,) = read(tmp_path, task({**SIZE, "type": kind, "value": {**value, kind: ["cat"]}}))
    assert row["suffix"] == "cat" + "".join(f"<loc_{each}>" for each in bins)
    assert ("read as the box around it: 1 of" in caplog.text) == (kind != "labels")


def test_a_class_in_a_result_of_its_own(tmp_path: Path) -> None:
    rectangle = {**BOX, "type": "rectangle", "value": VALUE}
    labels = {**BOX, "type": "labels", "value": {**VALUE, "labels": ["cat"]}}
    words = {**BOX, "type": "textarea", "from_name": "words", "value": {**VALUE, "text": ["x"]}}
    (row,) = read(tmp_path, task(rectangle, labels, words))
    assert (row["suffix"], row["line_error"]) == (CAT, None)


def test_without_a_size_boxes_are_fractions(tmp_path: Path) -> None:
    (row,) = read(tmp_path, task({"type": "rectanglelabels", "value": {**VALUE, "rectanglelabels": ["cat", "pet"]}}))
    assert row["suffix"] == CAT + CAT.replace("cat", "pet")


def test_the_annotation_that_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one = {"id": 1, "result": [], "was_cancelled": True}
    two, three = {"id": 2, "result": []}, {"id": 3, "result": [BOX], "ground_truth": True}
    tasks = [{"id": 1, "annotations": each, "data": {"image": "a.png"}} for each in ([one, two, three], [one], [])]
    with caplog.at_level(logging.INFO):
        rows = read(tmp_path, *tasks)
    assert [row["suffix"] for row in rows] == [CAT]
    expected = "left out: 1 of further annotation of a task, 1 of skipped task, 1 of task without annotation"
    assert expected in caplog.text


def test_questions_and_captions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        rows = read(
            tmp_path,
            task(choice("yes"), data={"question": "is it?"}),
            task(text("a cat", name="caption")),
            task(BOX, text("two"), data={"question": "how many?"}),
            task(BOX, choice("blurred", "quality")),
        )
    found = [(row["prefix"], row["suffix"], row["line"]) for row in rows]
    assert found[:2] == [("<VQA>is it?", "yes", 2), ("<CAPTION>", "a cat", 3)]
    assert found[2:] == [("<OD>", CAT, 4), ("<VQA>how many?", "two", 4), ("<OD>", CAT, 5)]
    assert "left out: 1 of choices 'quality'" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (task(choice("yes")), "task 1: 'answer' is an answer to no question that the file names; give the task one"),
        (
            task({**BOX, "type": "brushlabels"}),
            "task 1: a result of type 'brushlabels' is not read, only shapes with a label",
        ),
        (task({**BOX, "value": {**VALUE, "rectanglelabels": []}}), "'rectanglelabels' is [], not a list of labels"),
        (task({**BOX, "value": {**VALUE, "x": None, "rectanglelabels": ["a"]}}), "'x' is None, not a finite number"),
        (task({**BOX, "value": {**VALUE, "x": 1e308, "rectanglelabels": ["a"]}}), "'x' is 1e+308, not a finite number"),
        (task({**BOX, "image_rotation": 90}), "the image was turned in Label Studio"),
        (task({**BOX, "value": 3}), "a result has the type 'rectanglelabels' and the value 3"),
        (task("x"), "a result is 'x', not a JSON object"),
        (task(BOX, image=""), "the path of the image is empty"),
        ({**task(BOX), "data": {"text": "x"}}, "the data name 0 images; expected one, with the key 'image'"),
        ({**task(BOX), "data": 3}, "task 1: 'data' is 3, not a JSON object"),
        ({**task(BOX), "annotations": [3]}, "'annotations' is [3], not a list of objects"),
        ("x", "task: is 'x', not a JSON object"),
    ],
)
def test_a_wrong_task_is_an_error_of_its_row(tmp_path: Path, wrong: Any, message: str) -> None:
    good, bad = read(tmp_path, task(BOX), wrong)
    assert good["line_error"] is None
    assert message in bad["line_error"]
    assert (bad["line"], bad["suffix"]) == (3, "")


def test_json_min(tmp_path: Path) -> None:
    boxes = [{**VALUE, **SIZE, "rectanglelabels": ["cat"]}]
    row, empty = read(tmp_path, {**MINIMAL, "label": boxes}, {**MINIMAL, "label": boxes}, {**MINIMAL, "id": 2})
    assert (row["suffix"], row["image"]) == (CAT, "images/a.png")
    assert (empty["suffix"], empty["line_error"]) == ("", None)


def test_json_min_without_shapes_says_which_to_export(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="JSON-MIN export, which does not say what its texts are; export as JSON"):
        read(tmp_path, {**MINIMAL, "quality": "good"})


def test_a_list_of_something_else_is_not_recognised(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no annotations found"):
        read(tmp_path, {"id": 1, "image": "a.png"})
