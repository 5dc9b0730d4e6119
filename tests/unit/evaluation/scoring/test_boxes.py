"""Scores of COCO files are those of pycocotools, and every problem of a file is named."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from florence2 import cli
from florence2.errors import DatasetError
from florence2.evaluation.scoring.boxes import COCO_NAMES, score_boxes
from tests import ROOT

ORACLES = ROOT / "tests" / "oracles"
PROBLEMS = json.loads((ORACLES / "coco_map.json").read_text())["problems"]
BOX = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 40, 40]}
IMAGES, CATEGORIES = [{"id": 1}, {"id": 2}], [{"id": 1, "name": "ring"}]


def ran(*words: str | Path) -> Result:
    return CliRunner().invoke(cli.app, ["score", *map(str, words)])


def coco_files(folder: Path, dataset: object, results: object) -> tuple[Path, Path]:
    """Write both files; texts as they are, all else as JSON with a line for each value."""
    files = folder / "truth.json", folder / "found.json"
    for file, content in zip(files, (dataset, results), strict=True):
        file.write_text(content if isinstance(content, str) else json.dumps(content, indent=0))
    return files


def truth(*annotations: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    numbered = [{"id": index, **annotation} for index, annotation in enumerate(annotations, start=1)]
    return {"images": IMAGES, "categories": CATEGORIES, "annotations": numbered} | parts


def options(references: Path, predictions: Path) -> tuple[str | Path, ...]:
    return "--references", references, "--predictions", predictions


@pytest.mark.parametrize("problem", PROBLEMS, ids=lambda problem: problem["note"])
def test_the_scores_are_those_of_pycocotools(tmp_path: Path, problem: dict[str, Any]) -> None:
    files = coco_files(tmp_path, problem["gt"], problem["dt"])
    result = ran("--task=od", *options(*files), "--json")
    assert result.exit_code == 0
    scores = json.loads(result.stdout)
    assert scores.keys() == {*COCO_NAMES, "per_class"}
    for name, value in problem["expected"].items():
        assert scores[name] == pytest.approx(value, abs=1e-6)
    assert scores["per_class"].keys() == problem["per_class"].keys()
    for category, expected in problem["per_class"].items():
        assert scores["per_class"][category] == pytest.approx(expected, abs=1e-6)


def test_the_terminal_shows_the_twelve_scores(tmp_path: Path) -> None:
    result = ran("--task=od", *options(*coco_files(tmp_path, truth(BOX), [{**BOX, "score": 0.5}])))
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [name for name, _ in lines] == list(COCO_NAMES)
    assert dict(lines)["AP"] == "1.000000"
    assert dict(lines)["AP_large"] == "-1.000000"


def test_crowds_and_given_areas_count_as_in_coco(tmp_path: Path) -> None:
    """A crowd is neither to be found nor a mistake; an area may differ from that of the box."""
    crowd = {"image_id": 1, "category_id": 1, "bbox": [100, 100, 90, 90], "iscrowd": 1, "area": 8100}
    found = [{**BOX, "score": 0.5}, {**crowd, "score": 0.9}]
    scores = score_boxes(*coco_files(tmp_path, truth({**BOX, "area": 100}, crowd), found))
    sizes = [scores.scores[name] for name in ("AP", "AP_small", "AP_medium")]
    assert sizes == pytest.approx([1.0, 1.0, -1.0])
    without_area = score_boxes(*coco_files(tmp_path, truth(BOX), found[:1]))
    assert without_area.scores["AP_small"] == -1.0
    assert without_area.scores["AP_medium"] == pytest.approx(1.0)


def test_ids_may_be_texts_or_begin_with_0(tmp_path: Path) -> None:
    box = {"image_id": "b.png", "category_id": 0, "bbox": [0, 0, 40, 40]}
    dataset = truth({**box, "id": 0}, images=[{"id": "b.png"}, {"id": "a.png"}], categories=[{"id": 0}, {"id": 7}])
    scores = score_boxes(*coco_files(tmp_path, dataset, [{**box, "score": 0.5}]))
    assert scores.scores["AP"] == pytest.approx(1.0)
    assert scores.per_class[0] == pytest.approx({"AP": 1.0, "AP50": 1.0, "AP75": 1.0})
    assert scores.per_class[7] == {"AP": -1.0, "AP50": -1.0, "AP75": -1.0}


def test_nothing_found_is_zero_and_nothing_to_find_is_undefined_with_a_warning(tmp_path: Path) -> None:
    assert score_boxes(*coco_files(tmp_path, truth(BOX), [])).scores["AP"] == 0.0
    result = ran("--task=od", *options(*coco_files(tmp_path, truth(), [{**BOX, "score": 0.5}])), "--json")
    assert result.exit_code == 0
    assert {json.loads(result.stdout)[name] for name in COCO_NAMES} == {-1.0}
    assert "holds no annotations, so no score is defined" in result.stderr


@pytest.mark.parametrize(
    ("dataset", "results", "message"),
    [
        (truth(BOX), "", "found.json:1: must hold an array, a COCO results list; it is empty"),
        (truth(BOX), {"annotations": []}, "found.json:1: must hold an array"),
        ([], [], "truth.json:1: must hold an object, a COCO data set; it begins with '[]'"),
        ("{", [], "truth.json:1: not valid JSON, expecting a key"),
        (truth(BOX), "[\n{},\n{]", "found.json:3: not valid JSON"),
        (truth(BOX), "[\n3]", "found.json:2: 3 is not a JSON object"),
        (truth(BOX, images=[]), [], "truth.json: lacks images or categories"),
        ({"images": IMAGES, "annotations": []}, [], "truth.json: lacks images or categories"),
        (truth(BOX, images=[{"id": 1}, {"id": 1}]), [], "one of the images: id 1 was used in line"),
        (truth(BOX, categories=[{"id": 1}, {"id": True}]), [], "one of the categories: id is True, not a whole"),
        (truth({**BOX, "image_id": 9}), [], "annotation 1: image_id 9 is not one of the images"),
        (truth({**BOX, "category_id": 9}), [], "annotation 1: category_id 9 is not one of the categories"),
        (truth(BOX, {**BOX, "id": 1}), [], "annotation 2: id 1 was used in line"),
        (truth({**BOX, "area": -1}), [], "annotation 1: area is -1.0, less than 0"),
        (truth({**BOX, "iscrowd": 2}), [], "annotation 1: iscrowd is 2, neither 0 nor 1"),
        (truth({**BOX, "bbox": [0, 0, -1, 1]}), [], "annotation 1: bbox is [0, 0, -1, 1]; its width and height"),
        (truth(BOX), [{**BOX, "score": math.nan}], "result 1: score is nan, not a finite number"),
        (truth(BOX), [BOX], "result 1: no 'score'"),
        (truth(BOX), [{**BOX, "score": 1, "image_id": 9}], "result 1: image_id 9 is not one of the images"),
        (truth(BOX), [{**BOX, "score": 1, "category_id": 9}], "result 1: category_id 9 is not one of the categories"),
        (truth(BOX), [{**BOX, "score": 1, "bbox": [1, 2]}], "result 1: bbox is [1, 2], not four numbers"),
        (truth(BOX), [{**BOX, "score": 1, "bbox": [0, 0, math.inf, 1]}], "a number of bbox is inf"),
    ],
)
def test_the_problem_of_a_file_is_named(tmp_path: Path, dataset: Any, results: Any, message: str) -> None:
    with pytest.raises(DatasetError) as raised:
        score_boxes(*coco_files(tmp_path, dataset, results))
    assert message in str(raised.value)


def test_all_problems_of_both_files_are_reported_together_with_their_lines(tmp_path: Path) -> None:
    files = tmp_path / "truth.json", tmp_path / "found.json"
    files[0].write_text(json.dumps(truth({**BOX, "image_id": 9})))
    files[1].write_text(f"[\n{json.dumps({**BOX, 'score': 0.5})},\n" + ",\n".join(['{"image_id": 1}'] * 30) + "]")
    with pytest.raises(DatasetError) as raised:
        score_boxes(*files)
    text = str(raised.value)
    assert text.startswith("31 problems; nothing was scored:")
    assert f"{files[0]}:1: annotation 1: image_id 9" in text
    assert f"{files[1]}:3: result 2: no 'score'" in text
    assert text.endswith("... and 11 more")
