"""Results with ids of their own are matched with the references by names, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from florence2 import cli
from florence2.errors import DatasetError
from florence2.evaluation.scoring.boxes import score_boxes

NAMES, CLASSES = ("a.jpg", "b.jpg", "c.jpg"), ("cat", "dog")
BOXES = ([0, 0, 40, 40], [50, 0, 40, 40], [0, 50, 40, 40])


def dataset(images: dict[Any, str], categories: dict[Any, str], **parts: Any) -> dict[str, Any]:
    return {
        "images": [{"id": own, "file_name": name} for own, name in images.items()],
        "categories": [{"id": own, "name": name} for own, name in categories.items()],
        "annotations": [],
    } | parts


@pytest.fixture
def references(tmp_path: Path) -> Path:
    boxes = [
        {"id": number, "image_id": number, "category_id": 1 + number % 2, "bbox": box}
        for number, box in enumerate(BOXES, 1)
    ]
    file = tmp_path / "truth.json"
    file.write_text(json.dumps(dataset({1: "a.jpg", 2: "b.jpg", 3: "c.jpg"}, {1: "cat", 2: "dog"}, annotations=boxes)))
    return file


def results(folder: Path, images: dict[str, Any], classes: dict[str, Any], **more: Any) -> Path:
    """Write perfect results with other ids: by file name, by class name."""
    folder.mkdir(exist_ok=True)
    file = folder / "coco_results.json"
    rows = []
    for number, (name, box) in enumerate(zip(NAMES, BOXES, strict=True), 1):
        category = CLASSES[number % 2]
        row = {"image_id": images[name], "category_id": classes[category], "bbox": box, "score": 0.9}
        rows.append({key: value for key, value in row.items() if value is not None} | more.get(name, {}))
    file.write_text(json.dumps(rows))
    return file


OTHER = {"a.jpg": 3, "b.jpg": 1, "c.jpg": 2}, {"cat": 2, "dog": 1}


def test_ids_in_another_order_are_matched_by_their_own_data_set_with_a_sentence(
    tmp_path: Path, references: Path
) -> None:
    found = results(tmp_path / "answers", *OTHER)
    assert score_boxes(references, found).scores["AP"] == 0.0  # nothing says what these ids mean
    theirs = dataset({3: "photos/a.jpg", 1: "photos/b.jpg", 2: "photos/c.jpg"}, {2: "cat", 1: "dog"})
    (found.parent / "coco_dataset.json").write_text(json.dumps(theirs))
    ran = CliRunner().invoke(cli.app, ["score", "--task=od", f"--references={references}", f"--predictions={found}"])
    assert "AP                       1.000000" in ran.stdout
    assert ran.stderr.splitlines() == [
        f"note: matched 3 images by file name, since the ids of the predictions are not those of {references}",
        f"note: matched 2 classes by name, since the ids of the predictions are not those of {references}",
    ]


def test_equal_ids_need_no_sentence(tmp_path: Path, references: Path) -> None:
    found = results(tmp_path / "answers", {"a.jpg": 1, "b.jpg": 2, "c.jpg": 3}, {"cat": 1, "dog": 2})
    (found.parent / "coco_dataset.json").write_bytes(references.read_bytes())
    scores = score_boxes(references, found)
    assert scores.scores["AP"] == pytest.approx(1.0)
    assert not scores.notes


def test_the_data_set_of_the_ids_may_be_named_and_may_be_the_references_themselves(
    tmp_path: Path, references: Path
) -> None:
    found = results(tmp_path / "answers", *OTHER)
    named = tmp_path / "theirs.json"
    named.write_text(json.dumps(dataset({3: "a.jpg", 1: "b.jpg", 2: "c.jpg"}, {2: "cat", 1: "dog"})))
    assert score_boxes(references, found, named).scores["AP"] == pytest.approx(1.0)
    (found.parent / "coco_dataset.json").write_text(named.read_text())
    assert score_boxes(references, found, references).scores["AP"] == 0.0


def test_results_may_hold_the_names_themselves(tmp_path: Path, references: Path) -> None:
    """Ultralytics writes the number or the text in a file name as the id, and the file name beside it."""
    names = {name: {"file_name": name, "category_name": CLASSES[n % 2]} for n, name in enumerate(NAMES, 1)}
    found = results(tmp_path, *OTHER, **names)
    assert score_boxes(references, found).scores["AP"] == pytest.approx(1.0)


def test_ids_that_are_file_names_and_class_names_are_matched(tmp_path: Path, references: Path) -> None:
    stems, classes = {name: Path(name).stem for name in NAMES}, {name: name for name in CLASSES}
    for images in (stems, {name: name for name in NAMES}):
        scores = score_boxes(references, results(tmp_path, images, classes))
        assert scores.scores["AP"] == pytest.approx(1.0)
        assert scores.notes[0].startswith("matched 3 images by file name")


def test_a_class_and_an_image_that_the_references_lack_count_in_no_score_and_are_named(
    tmp_path: Path, references: Path
) -> None:
    found = results(tmp_path, {**OTHER[0], "c.jpg": 9}, {**OTHER[1]})
    rows = json.loads(found.read_text())
    found.write_text(json.dumps([*rows, {**rows[0], "category_id": 8}, {**rows[0], "category_id": 8}]))
    theirs = dataset({3: "a.jpg", 1: "b.jpg", 9: "x.jpg"}, {2: "cat", 1: "dog", 8: "cow"})
    (tmp_path / "coco_dataset.json").write_text(json.dumps(theirs))
    notes = "\n".join(score_boxes(references, found).notes)
    assert f"left out 1 box of 1 image that {references} lacks: 'x.jpg'" in notes
    assert f"left out 2 boxes of 1 class that {references} lacks: 'cow'" in notes
    assert f"1 of 3 images in {references} are not in {tmp_path / 'coco_dataset.json'}" in notes


@pytest.mark.parametrize(
    ("images", "categories", "message"),
    [
        (
            {3: "x.jpg", 1: "y.jpg", 2: "z.jpg"},
            {2: "cat", 1: "dog"},
            "none of its images ('x.jpg', 'y.jpg', 'z.jpg')",
        ),
        (
            {3: "a.jpg", 1: "b.jpg", 2: "c.jpg"},
            {2: "Cat", 1: "Dog"},
            "which has 'cat', 'dog'; give references that have them",
        ),
        ({3: "a.jpg", 1: "b.jpg"}, {2: "cat", 1: "dog"}, "result 3: image_id 2 is not in"),
    ],
)
def test_what_cannot_be_matched_is_refused(
    tmp_path: Path, references: Path, images: dict[Any, str], categories: dict[Any, str], message: str
) -> None:
    found = results(tmp_path, {"a.jpg": 3, "b.jpg": 1, "c.jpg": 2}, OTHER[1])
    (tmp_path / "coco_dataset.json").write_text(json.dumps(dataset(images, categories)))
    with pytest.raises(DatasetError) as raised:
        score_boxes(references, found)
    assert message in str(raised.value)


def test_references_without_file_names_are_refused_where_ids_differ(tmp_path: Path, references: Path) -> None:
    content = json.loads(references.read_text())
    references.write_text(json.dumps(content | {"images": [{"id": number} for number in (1, 2, 3)]}))
    found = results(tmp_path / "answers", *OTHER)
    (found.parent / "coco_dataset.json").write_text(
        json.dumps(dataset({3: "a.jpg", 1: "b.jpg", 2: "c.jpg"}, {2: "cat", 1: "dog"}))
    )
    with pytest.raises(DatasetError, match="which has no names of them"):
        score_boxes(references, found)


def test_an_unknown_id_without_a_name_says_what_to_give(tmp_path: Path, references: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"image_id 77 is not one of the images; if these .* by --predictions-dataset"
    ):
        score_boxes(references, results(tmp_path, dict.fromkeys(NAMES, 77), OTHER[1]))


def test_two_files_that_fit_one_image_are_refused(tmp_path: Path, references: Path) -> None:
    found = results(tmp_path, {"a.jpg": "x/a.jpg", "b.jpg": "y/a.jpg", "c.jpg": "c.jpg"}, {"cat": 1, "dog": 2})
    with pytest.raises(DatasetError, match=r"'x/a.jpg' and 'y/a.jpg' both fit image 1 of the references"):
        score_boxes(references, found)
