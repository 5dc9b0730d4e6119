"""A user's data set: COCO in an archive, with a defect that is repaired and a test split that is frozen."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders import write_scenes
from tests.integration.project import Outcome, Project


@pytest.fixture(scope="module")
def coco(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A COCO set in which one box leaves its image."""
    folder = tmp_path_factory.mktemp("own")
    write_scenes(folder / "scenes", train=16)
    convert = [sys.executable, "-m", "florence2.cli", "convert", str(folder / "scenes"), str(folder / "coco")]
    project.execute([*convert, "--to", "coco", "--skip-unsupported"]).check_returncode()
    file = folder / "coco" / "train" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    content["annotations"][0]["bbox"][2] = 100
    file.write_text(json.dumps(content, indent=1))
    return folder / "coco"


@pytest.fixture(scope="module")
def settings(project: Project, coco: Path) -> dict[str, Any]:
    frozen = coco.parent / "test.json"
    freeze = [sys.executable, "-m", "florence2.cli", "freeze", str(coco), str(frozen), "--on-error", "repair"]
    project.execute(freeze).check_returncode()
    return {
        "dataset": {"source": shutil.make_archive(str(coco), "zip", coco), "reference": str(coco.parent / "scenes")},
        "validation": {"on_error": "repair"},
        "split": {"frozen_test": str(frozen)},
        "model": {"base": "builtin:nano"},
        "training": {"epochs": 1, "batch_size": 8},
        "evaluation": {"max_new_tokens": 16},
    }


@pytest.fixture(scope="module")
def run(project: Project, settings: dict[str, Any]) -> Outcome:
    return project.run("own", settings)


def test_it_runs_from_the_archive_and_keeps_what_was_mended(project: Project, run: Outcome) -> None:
    assert run.status == 0, run.output
    assert "read as coco" in run.output
    reports = [json.loads(file.read_text()) for file in (project.root / ".store").rglob("validation.json")]
    assert any(report["counts"].get("box-outside") == 1 and report["rows_repaired"] == 1 for report in reports)


def test_the_statistics_are_kept_as_a_page(project: Project, run: Outcome) -> None:
    assert run.status == 0, run.output
    pages = [page.read_text() for page in (project.root / ".store").rglob("statistics.html")]
    assert any("blue tile" in page for page in pages)


def test_it_is_compared_with_the_reference(project: Project, run: Outcome) -> None:
    assert run.status == 0, run.output
    found = [json.loads(file.read_text()) for file in (project.root / ".store").rglob("drift.json")]
    # The reference has questions as well; the archive holds boxes alone.
    verdicts = [{feature["name"]: feature["verdict"] for feature in drift["features"]} for drift in found]
    assert any(verdict.get("tasks") == "drifted" and verdict.get("classes") == "stable" for verdict in verdicts)


def test_a_frozen_test_image_that_is_missing_stops_the_run(
    project: Project, run: Outcome, settings: dict[str, Any], coco: Path
) -> None:
    assert run.status == 0, run.output
    other = coco.parent / "fewer"
    shutil.copytree(coco, other)
    gone = sorted((other / "test").glob("*.png"))[0]
    file = other / "test" / "_annotations.coco.json"
    content = json.loads(file.read_text())
    numbers = {image["id"] for image in content["images"] if Path(image["file_name"]).name == gone.name}
    content["images"] = [image for image in content["images"] if image["id"] not in numbers]
    content["annotations"] = [box for box in content["annotations"] if box["image_id"] not in numbers]
    file.write_text(json.dumps(content))
    gone.unlink()
    outcome = project.run("fewer", settings | {"dataset": {"source": str(other)}})
    assert outcome.status == 1
    assert "missing from the data set" in outcome.output
    assert gone.name in outcome.output
    assert "Traceback" not in outcome.output
