"""The command ``florence2 convert``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from florence2.adapters import great_expectations
from florence2.cli import app
from florence2.errors import DatasetError, InvalidAnnotationsError
from tests.builders import annotation, write_dataset, write_image, write_lines, write_scenes
from tests.rules import run_rules


@pytest.fixture(autouse=True)
def evaluate_with_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(great_expectations, "_run_rules", run_rules)


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def test_convert_there_and_back(tmp_path: Path) -> None:
    data = write_dataset(tmp_path / "data")
    assert run("convert", data, tmp_path / "coco", "--to", "coco").output.endswith("3 images, 3 samples as coco\n")
    assert run("convert", tmp_path / "coco", tmp_path / "back", "--to", "jsonl").exit_code == 0
    line = json.loads((tmp_path / "back" / "test" / "annotations.jsonl").read_text())
    assert line == annotation()


def test_convert_says_what_a_format_cannot_hold(tmp_path: Path) -> None:
    data = write_scenes(tmp_path / "data")
    refused = run("convert", data, tmp_path / "yolo", "--to", "yolo")
    assert isinstance(refused.exception, DatasetError)
    assert not (tmp_path / "yolo").exists()
    done = run("convert", data, tmp_path / "yolo", "--to", "yolo", "--skip-unsupported")
    assert "left out: 16 of <VQA>" in done.output


def test_convert_mends_or_leaves_out_what_breaks_a_rule_with_a_setting(tmp_path: Path) -> None:
    content = {
        "images": [{"id": number, "file_name": f"{number}.png", "width": 20, "height": 10} for number in (1, 2, 3)],
        "categories": [{"id": 1, "name": "shark"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [2, 1, 10, 5]},
            {"id": 2, "image_id": 2, "category_id": 1, "bbox": [10, 5, 12, 5]},
        ],
    }
    file = write_lines(tmp_path / "data" / "train" / "_annotations.coco.json", [content])
    for number in (1, 2, 3):
        write_image(file.parent / f"{number}.png")
    words = ("convert", tmp_path / "data", tmp_path / "new", "--to", "coco")
    refused = run(*words)
    assert "convert with --on-error repair or quarantine" in str(refused.exception)

    done = run(*words, "--on-error", "repair")
    assert done.exit_code == 0, done.exception
    assert "1 sample repaired, 0 quarantined" in done.output
    written = json.loads((tmp_path / "new" / "train" / "_annotations.coco.json").read_text())["annotations"]
    x, y, width, height = written[1]["bbox"]
    assert (x, y) == pytest.approx((10, 5), abs=0.02)
    assert (19.98 < x + width <= 20, 9.99 < y + height <= 10) == (True, True)

    left_out = run(*words[:2], tmp_path / "other", *words[3:], "--rules", "box-outside=quarantine")
    assert "0 samples repaired, 1 quarantined" in left_out.output
    assert "2 images, 2 samples as coco" in left_out.output
    stopped = run(*words[:2], tmp_path / "third", *words[3:], "--rules", "box-tiny=warn")
    assert isinstance(stopped.exception, InvalidAnnotationsError)
    assert not (tmp_path / "third").exists()
