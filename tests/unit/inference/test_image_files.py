"""Image files and a prompt in, answers on the terminal, in files and drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from florence2 import sdk
from florence2.cli import app
from florence2.errors import ConfigurationError, DatasetError, Florence2Error
from florence2.inference.generation import Prediction
from florence2.inference.image_files import ImageAnswer, ImagePredictions, find_images
from tests.builders import write_image, write_scenes

SHORT = {"max_new_tokens": 24}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of images, one of them in a folder of its own, one that is none."""
    root = tmp_path_factory.mktemp("images")
    write_scenes(root / "set", test=3)
    folder = root / "folder"
    (root / "set" / "test").rename(folder)
    (folder / "annotations.jsonl").unlink()
    (folder / "inner").mkdir()
    (folder / "2.png").rename(folder / "inner" / "0.png")
    (folder / "none.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def found(images: Path) -> ImagePredictions:
    return sdk.predict("builtin:nano", images, configuration=SHORT)


def test_a_file_that_cannot_be_decoded_stops_nothing(images: Path, found: ImagePredictions) -> None:
    names = [Path(answer.image).relative_to(images).as_posix() for answer in found.answers]
    assert names == ["0.png", "1.png", "inner/0.png", "none.png"]
    assert [answer.error is None for answer in found.answers] == [True, True, True, False]
    assert found.counts() | {"boxes": 0} == {"images": 4, "unreadable": 1, "boxes": 0, "truncated": 0, "malformed": 0}


def test_what_is_saved_is_loaded_again(found: ImagePredictions, tmp_path: Path) -> None:
    replace(found, drawn=1).save(tmp_path / "first")
    again = ImagePredictions.load(tmp_path / "first")
    assert list(again.lines()) == list(found.lines())
    assert again.counts() == found.counts()
    assert (again.prefix, again.root, again.drawn) == (found.prefix, found.root, 1)
    again.save(tmp_path / "second")
    for folder in ("first", "second"):
        assert [file.name for file in (tmp_path / folder / "drawn").iterdir()] == ["00001_0.png"]


def test_coco_results_say_the_same_boxes(found: ImagePredictions, tmp_path: Path) -> None:
    found.save(tmp_path)
    dataset = json.loads((tmp_path / "coco_dataset.json").read_text())
    results = json.loads((tmp_path / "coco_results.json").read_text())
    names = {category["id"]: category["name"] for category in dataset["categories"]}
    files = {image["id"]: image["file_name"] for image in dataset["images"]}
    assert len(results) == found.counts()["boxes"] > 0
    expected = [
        (answer.image, name, corners)
        for answer in found.answers
        if answer.prediction and answer.prediction.detections
        for name, _, corners in answer.prediction.detections.rows()
    ]
    for result, (image, name, (x_min, y_min, x_max, y_max)) in zip(results, expected, strict=True):
        assert (files[result["image_id"]], names[result["category_id"]]) == (image, name)
        np.testing.assert_allclose(result["bbox"], [x_min, y_min, x_max - x_min, y_max - y_min], atol=2e-3)


def test_images_of_one_name_are_drawn_side_by_side(found: ImagePredictions, tmp_path: Path) -> None:
    found.save(tmp_path)
    drawn = sorted(file.name for file in (tmp_path / "drawn").iterdir())
    assert drawn == ["00001_0.png", "00002_1.png", "00003_0.png"]
    with Image.open(tmp_path / "drawn" / drawn[0]) as image:
        assert image.width > 64


def test_texts_are_drawn_in_their_quadrilaterals(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", (100, 100), (0, 0, 0))
    quad = "Tax<loc_100><loc_300><loc_800><loc_300><loc_900><loc_700><loc_200><loc_700>"
    answers = (ImageAnswer("a.png", (100, 100), Prediction(quad, None)), ImageAnswer("b.png", error="gone"))
    ImagePredictions(tmp_path, "<OCR_WITH_REGION>", answers).save(tmp_path / "out")
    (drawn,) = (tmp_path / "out" / "drawn").iterdir()
    with Image.open(drawn) as image:
        assert image.getpixel((image.width * 55 // 100, image.height * 7005 // 10000)) != (0, 0, 0)
    assert not (tmp_path / "out" / "coco_results.json").exists()


def test_answers_that_are_no_boxes_are_not_drawn(images: Path, tmp_path: Path) -> None:
    sdk.predict("builtin:nano", images / "0.png", "<VQA>what is the colour?", SHORT, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"predictions.json", "predictions.jsonl"}
    assert "boxes" not in json.loads((tmp_path / "predictions.jsonl").read_text())


def test_answers_of_another_prompt_leave_nothing_of_the_earlier_ones(
    found: ImagePredictions, images: Path, tmp_path: Path
) -> None:
    found.save(tmp_path)
    (tmp_path / "drawn" / "notes.txt").write_text("of the user")
    sdk.predict("builtin:nano", images / "0.png", "<VQA>what is the colour?", SHORT, tmp_path)
    files = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*") if file.is_file()}
    assert files == {"predictions.json", "predictions.jsonl", "drawn/notes.txt"}


def test_files_of_the_user_stay_where_nothing_was_saved_before(images: Path, tmp_path: Path) -> None:
    own = ["coco_dataset.json", "coco_results.json", "drawn/00001_0.png"]
    (tmp_path / "drawn").mkdir()
    for name in own:
        (tmp_path / name).write_text("of the user")
    sdk.predict("builtin:nano", images / "0.png", "<VQA>what is the colour?", SHORT, tmp_path)
    assert [(tmp_path / name).read_text() for name in own] == ["of the user"] * 3


def test_patterns_folders_and_files_are_images_once_each(images: Path) -> None:
    first = str(images / "0.png")
    assert find_images([first, str(images / "*.png")]) == [first, str(images / "1.png"), str(images / "none.png")]
    assert find_images([str(images / "**" / "0.png")]) == [first, str(images / "inner" / "0.png")]


def test_all_paths_without_images_are_reported_together(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    paths = [tmp_path / "x.png", tmp_path / "y*", empty, write_image(tmp_path / "a.png")]
    with pytest.raises(ConfigurationError, match=r"(?s)x\.png: no such file.*y\*: no such file.*no images in this"):
        find_images([str(path) for path in paths])


def test_no_image_at_all_is_an_error(images: Path) -> None:
    with pytest.raises(DatasetError, match=r"none of 1 images can be decoded:\n  .*none\.png: unreadable"):
        sdk.predict("builtin:nano", images / "none.png")


def test_a_folder_without_answers_is_named(tmp_path: Path) -> None:
    with pytest.raises(Florence2Error, match=r"holds no readable predictions\.json"):
        ImagePredictions.load(tmp_path)


def test_the_command_prints_boxes_and_reports_failures(images: Path) -> None:
    done = CliRunner().invoke(app, ["predict", str(images), "--max-new-tokens", "24"])
    assert done.exit_code == 1
    assert f"{images / '0.png'}: 1 box" in done.stdout
    done = CliRunner().invoke(app, ["predict", str(images / "0.png"), "--max-new-tokens", "3"])
    assert done.exit_code == 0
    assert "the answer reached the length limit and was cut; 1 parts of the answer are not boxes" in done.stdout


def test_the_command_writes_json_for_programs(images: Path) -> None:
    done = CliRunner().invoke(app, ["predict", str(images), "--max-new-tokens", "24", "--json"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [set(line) >= {"image", "text", "boxes"} for line in lines] == [True, True, True, False]
    assert "unreadable" in lines[3]["error"]


@pytest.mark.parametrize(
    ("answers", "folder"),
    [
        ("drawn: 1", None),
        ("keep_answers: false", None),
        ("keep_answers: true", "folder-predictions"),
        ("output: own", "own"),
        ("output: none", None),
        ("output: beside", "folder-predictions"),
        ("output: ./none", "none"),
    ],
)
def test_a_file_for_the_pipeline_says_where_answers_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: str, folder: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    write_image(tmp_path / "folder" / "0.png", (64, 64))
    file = tmp_path / "predict.yaml"
    file.write_text(f"images: {{folder: folder, {answers}}}\nevaluation: {{max_new_tokens: 3}}\n")
    done = CliRunner().invoke(app, ["predict", "--config", str(file)], catch_exceptions=False)
    assert done.exit_code == 0
    written = [path.name for path in tmp_path.iterdir() if path.name not in ("folder", "predict.yaml")]
    assert written == ([folder] if folder else [])


def test_an_output_that_is_no_local_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "predict.yaml"
    file.write_text("images: {folder: folder, output: 's3://bucket/answers'}\n")
    with pytest.raises(ConfigurationError, match=r"images\.output s3://bucket/answers: is not a local folder"):
        CliRunner().invoke(app, ["predict", "--config", str(file)], catch_exceptions=False)


def test_results_take_the_ids_of_a_reference(images: Path, found: ImagePredictions, tmp_path: Path) -> None:
    """The reference has an image that was not predicted, and lacks a class that the model finds."""
    own = {Path(answer.image).name: names_of(answer) for answer in found.answers[:2]}
    lacking, *classes = sorted({name for names in own.values() for name in names})
    reference = tmp_path / "reference.json"
    content = {
        "images": [{"id": 70 + number, "file_name": f"{number}.png"} for number in (0, 1, 9)],
        "categories": [{"id": 10 + number, "name": name} for number, name in enumerate(classes)],
    }
    reference.write_text(json.dumps(content))
    files = [str(images / name) for name in own]
    words = ["predict", "--model=builtin:nano", "--max-new-tokens=24", f"--like={reference}", *files]
    assert CliRunner().invoke(app, words).exit_code == 2  # there is no --output
    assert CliRunner().invoke(app, [*words, f"--output={tmp_path / 'answers'}"]).exit_code == 0
    results = json.loads((tmp_path / "answers" / "coco_results.json").read_text())
    expected = [
        (70 + int(file[0]), 10 + classes.index(name))
        for file, names in own.items()
        for name in names
        if name != lacking
    ]
    assert expected
    assert [(result["image_id"], result["category_id"]) for result in results] == expected
    with pytest.raises(DatasetError, match="the reference has none of the images"):
        sdk.predict("builtin:nano", images / "none.png", like=reference)


def names_of(answer: ImageAnswer) -> tuple[str, ...]:
    assert answer.prediction is not None
    assert answer.prediction.detections is not None
    return answer.prediction.detections.class_name
