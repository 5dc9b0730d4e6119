"""Whole trainings by the command ``florence2``, as processes: planned, run, interrupted."""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.plan_estimates import processor_seconds
from florence2.cli.plan import FACTOR
from tests.builders import write_scenes
from tests.integration.forked import run_process
from tests.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-m", "florence2.cli"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set and settings."""
    folder = tmp_path_factory.mktemp("project")
    write_scenes(folder / "data", train=60, valid=6, test=6)
    (folder / "my.yaml").write_text(
        "dataset: {source: data}\nmodel: {base: builtin:nano}\n"
        "training: {epochs: 2, batch_size: 7}\nevaluation: {max_new_tokens: 64}\n"
    )
    return folder


def run(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run_process([*COMMAND, *words], project, ENVIRONMENT)


def tree(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_a_plan_writes_nothing_and_shows_what_the_run_then_does(project: Path) -> None:
    before = tree(project)
    planned = run(project, "train", "--config", "my.yaml", "--dry-run", "--json", "--seed", "3")
    assert planned.returncode == 0, planned.stderr
    assert tree(project) == before
    content: dict[str, Any] = json.loads(planned.stdout)
    plan = content["plan"]
    assert content["configuration"]["training"]["epochs"] == 2
    assert content["configuration"]["training"]["seed"] == 3
    assert (plan["data"]["format"], plan["data"]["tasks"]) == ("jsonl", ["<OD>", "<VQA>"])
    assert plan["data"]["splits"]["train"] == {"rows": 120, "images": 60}

    done = run(project, "train", "--config", "my.yaml", "--json", "--seed", "3")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    checkpoint = json.loads((project / result["checkpoint"] / "checkpoint.json").read_text())
    assert plan["steps"] == checkpoint["history"][-1]["step"] == 2 * 18
    assert result["after"]["scores"].keys() == result["before"]["scores"].keys()
    assert "epoch 2/2" in done.stderr
    assert plan["seconds"]["right_within_a_factor_of"] == FACTOR
    assert 0 < plan["seconds"]["train"] < plan["seconds"]["total"]


def test_a_training_takes_about_as_long_as_was_planned(project: Path) -> None:
    """In seconds of the processor: other work on the machine may come or go between plan and training."""
    words = argparse.Namespace(dataset=str(project / "data"), model="builtin:nano", epochs=2)
    planned, taken = processor_seconds("lora", words)
    assert planned / FACTOR < taken < planned * FACTOR


def test_what_a_plan_prints_is_a_file_of_settings(project: Path, tmp_path: Path) -> None:
    printed = run(project, "train", "--config", "my.yaml", "--dry-run", "--rank", "3", "--rules", "box-tiny=ignore")
    assert printed.returncode == 0, printed.stderr
    assert "# steps      36: 2 epochs of 18, 7 samples each" in printed.stdout
    assert "      rank: 3    # default: 16\n" in printed.stdout
    again = tmp_path / "again.yaml"
    again.write_text(printed.stdout)
    repeated = run(project, "train", "--config", str(again), "--dry-run")
    settings = [text.partition("\nparameters:")[2] for text in (printed.stdout, repeated.stdout)]
    assert settings[0] == settings[1] != ""


@pytest.mark.parametrize(("moment", "advice"), [("read as", ""), ("epoch 1/500: ", "florence2 train --resume ")])
def test_an_interrupted_training_says_how_to_go_on(project: Path, tmp_path: Path, moment: str, advice: str) -> None:
    """Where it has not begun there is nothing to go on with, and nothing is left."""
    process = subprocess.Popen(
        [*COMMAND, "train", "--config", "my.yaml", "--epochs", "500", "--output", str(tmp_path), "--save-minutes", "0"],
        cwd=project,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    printed = ""
    for line in process.stderr:
        printed += line
        if moment in line:
            break
    process.send_signal(signal.SIGINT)
    out, rest = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, printed + rest
    assert "Traceback" not in rest
    assert rest.endswith("interrupted\n")
    assert (advice + str(tmp_path) in rest) == bool(advice)
    assert any(tmp_path.iterdir()) == bool(advice)
    assert out == ""
