"""From a folder of images to answers, cached by the content of both images and model."""

from __future__ import annotations

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from florence2.model.base import BUILTIN_MODELS
from tests.builders import write_image, write_scenes
from tests.integration.project import Project
from tests.waiting import wait_for


@pytest.fixture
def parameters(tmp_path: Path) -> dict[str, Any]:
    write_scenes(tmp_path / "set", test=3)
    (tmp_path / "set" / "test" / "bad.png").write_bytes(b"no image")
    shutil.copytree(BUILTIN_MODELS["builtin:nano"], tmp_path / "model")
    return {
        "images": {"folder": str(tmp_path / "set" / "test"), "drawn": 2},
        "model": {"base": str(tmp_path / "model")},
        "evaluation": {"max_new_tokens": 32},
    }


def test_images_are_answered_once(project: Project, parameters: dict[str, Any], tmp_path: Path) -> None:
    first = project.run("answers", parameters, "florence_predict")
    assert first.status == 0, first.output
    assert first.summary["executed_steps"] == ["predict_images"]
    assert (first.summary["images"], first.summary["unreadable"]) == (4, 1)
    assert "bad.png: unreadable" in first.output
    folder = Path(first.summary["predictions"])
    lines = [json.loads(line) for line in (folder / "predictions.jsonl").read_text().splitlines()]
    assert [line["image"] for line in lines] == ["0.png", "1.png", "2.png", "bad.png"]
    assert len(json.loads((folder / "coco_results.json").read_text())) == first.summary["boxes"] > 0
    assert len(list((folder / "drawn").iterdir())) == 2

    earlier = {{"images": "pictures"}.get(name, name): section for name, section in parameters.items()}
    again = project.run("answers", earlier, "florence_predict")
    assert again.summary["cached_steps"] == ["predict_images"], again.output
    assert again.summary["boxes"] == first.summary["boxes"]

    (tmp_path / "model" / "generation_config.json").open("a").write("\n")
    other_model = project.run("answers", parameters, "florence_predict")
    assert other_model.summary["executed_steps"] == ["predict_images"], other_model.output

    (tmp_path / "set" / "test" / "bad.png").unlink()
    other_images = project.run("answers", parameters, "florence_predict")
    assert other_images.summary["executed_steps"] == ["predict_images"]
    assert other_images.summary["unreadable"] == 0


def test_a_run_that_was_killed_goes_on_and_answers_lie_next_to_the_images(
    project: Project, parameters: dict[str, Any], tmp_path: Path
) -> None:
    code = project.root / "florence2" / "inference" / "answer_folder.py"
    before = code.read_text()
    code.write_text(before.replace("_PART_ANSWERS = 256", "_PART_ANSWERS = 4"))
    images, answers = tmp_path / "photos", tmp_path / "photos-predictions"
    for number in range(400):
        write_image(images / f"{number:03}.png", (64, 64))
    parameters = parameters | {"images": {"folder": str(images)}, "evaluation": {"eval_batch_size": 4}}
    process = project.start("killed", parameters, "florence_predict")
    try:
        log = project.root / "killed.log"
        wait_for(
            lambda: len(list(answers.rglob("*.jsonl"))) >= 3,
            lambda: log.read_text() if process.poll() is not None else None,
            pause_seconds=0.02,
        )
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    there = sum(len(file.read_text().splitlines()) for file in answers.rglob("*.jsonl"))
    assert 0 < there < 400
    outcome = project.run("killed", parameters, "florence_predict")
    assert outcome.status == 0, outcome.output
    assert f"{there} of 400 images were answered by an earlier run" in outcome.output
    assert outcome.summary["images"] == 400
    lines = (answers / "predictions.jsonl").read_text()
    assert lines == (Path(outcome.summary["predictions"]) / "predictions.jsonl").read_text()
    assert len(lines.splitlines()) == 400
    assert not (answers / ".parts").exists()
    code.write_text(before)


def test_what_a_user_can_get_wrong_ends_in_a_message(project: Project, parameters: dict[str, Any]) -> None:
    wrong = parameters | {"images": {"folder": "data", "prefx": "<OD>"}}
    outcome = project.run("wrong", wrong, "florence_predict")
    assert outcome.status == 1
    assert "images.prefx: unknown key; did you mean 'prefix'?" in outcome.output
    assert "Traceback" not in outcome.output
