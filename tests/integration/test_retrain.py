"""``make retrain``: what changed is trained and decided on, what did not costs one cached run; and back again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import write_scenes
from tests.integration.project import Project


@dataclass(frozen=True)
class Done:
    status: int
    output: str
    page: str


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("data"))


def sections(data: Path) -> dict[str, Any]:
    return {
        "dataset": {"source": str(data)},
        "model": {"base": "builtin:nano"},
        "training": {"epochs": 1, "batch_size": 8},
        "evaluation": {"max_new_tokens": 32},
        "registration": {"model_name": "retrained"},
    }


def retrain(project: Project, data: Path, page: Path, **training: Any) -> Done:
    """Run ``python -m pipelines.retrain`` as the make target does."""
    trained = sections(data)
    trained["training"] |= training
    # One epoch on eight images makes no model that is better than its base.
    policy = {"valid_answers": 0.0, "floor": False}
    files = [
        project.write_config("again", trained),
        project.write_config("decide", sections(data) | {"promotion": policy}),
    ]
    page.unlink(missing_ok=True)
    command = [sys.executable, "-m", "pipelines.retrain", *map(str, files)]
    done = project.execute(command, GITHUB_STEP_SUMMARY=str(page))
    text = page.read_text() if page.exists() else ""
    return Done(done.returncode, done.stdout + done.stderr, text)


@pytest.fixture(scope="module")
def first(project: Project, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return retrain(project, data, tmp_path_factory.mktemp("page") / "first.md")


def registry(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.execute([sys.executable, "-m", "florence2.cli", "registry", *arguments, "--name", "retrained"])


def test_the_first_model_becomes_champion_and_the_job_page_says_why(project: Project, first: Done) -> None:
    assert first.status == 0, first.output
    assert first.page.startswith("# Retraining: promoted")
    assert "first champion" in first.page
    assert (project.root / "outputs" / "again" / "summary.md").read_text() == first.page
    assert json.loads(registry(project, "show", "champion", "--json").stdout)["version"] == "1"


def test_unchanged_data_and_code_train_nothing_and_decide_nothing(
    project: Project, first: Done, data: Path, tmp_path: Path
) -> None:
    assert first.status == 0
    again = retrain(project, data, tmp_path / "page.md")
    assert again.status == 0, again.output
    assert again.page.startswith("# Retraining: nothing changed")
    assert "nothing was trained" in again.page


def test_a_model_that_is_no_better_is_held_and_then_champion_by_hand_and_rolled_back(
    project: Project, first: Done, data: Path, tmp_path: Path
) -> None:
    assert first.status == 0
    held = retrain(project, data, tmp_path / "page.md", learning_rate=1e-9)
    assert held.status == 3, held.output
    assert held.page.startswith(("# Retraining: held", "# Retraining: rejected"))
    assert "Training data against that of version 1: Stable" in held.page
    assert json.loads(registry(project, "show", "champion", "--json").stdout)["version"] == "1"
    assert registry(project, "promote", "challenger", "--reason=try it").returncode == 0
    back = json.loads(registry(project, "rollback", "--reason=worse", "--json").stdout)
    assert (back["before"], back["after"], back["why"]) == ("2", "1", "worse")


def test_the_champion_answers_about_images_by_its_alias(project: Project, first: Done, data: Path) -> None:
    assert first.status == 0
    settings = {"images": {"folder": str(data / "test")}, "model": {"base": "models:/retrained@champion"}}
    answered = project.run("champion", settings | {"evaluation": {"max_new_tokens": 32}}, "florence_predict")
    assert answered.status == 0, answered.output
    assert answered.summary["images"] > 0
    lines = Path(answered.summary["predictions"], "predictions.jsonl").read_text().splitlines()
    assert len(lines) == answered.summary["images"]


def test_a_fine_tune_that_fails_is_reported_on_the_job_page(project: Project, tmp_path: Path) -> None:
    failed = retrain(project, tmp_path / "none", tmp_path / "page.md")
    assert failed.status == 1
    assert failed.page.startswith("# Retraining: failed")
    assert "no such folder" in failed.output


def test_a_schedule_that_no_orchestrator_keeps_is_refused_with_the_line_for_cron(project: Project, data: Path) -> None:
    for name in ("florence_finetune", "florence_promote"):
        file = project.root / f"scheduled-{name}.yaml"
        file.write_text(yaml.safe_dump({"schedule": {"cron_expression": "5 2 * * *"}, "parameters": {}}))
    done = project.execute(["zenml", "pipeline", "run", "florence_finetune", "-c", "scheduled-florence_finetune.yaml"])
    assert done.returncode == 1
    assert f"5 2 * * * cd {os.path.realpath(project.root)} && make retrain" in done.stderr
    done = project.execute(["zenml", "pipeline", "run", "florence_promote", "-c", "scheduled-florence_promote.yaml"])
    assert done.returncode == 1
    assert "let cron or a CI schedule call `make retrain`" in done.stderr


@pytest.mark.parametrize(("arguments", "status"), [(["--help"], 0), (["retrain.yaml"], 2)])
def test_its_usage_is_printed(project: Project, arguments: list[str], status: int) -> None:
    done = project.execute(["python", "-m", "pipelines.retrain", *arguments])
    assert done.returncode == status
    assert "usage: python -m pipelines.retrain [-h] finetune promote" in done.stdout + done.stderr
