"""A project of ZenML, whose packages have the names of those next to the library."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from florence2.doctor.own_packages import OWN_PACKAGES
from tests import ROOT

EXECUTED = 'raise RuntimeError("the code of the folder was executed")\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A user's folder with pipelines and steps of its own."""
    for name in ("pipelines", "steps"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(EXECUTED)
    return tmp_path


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, whose modules come first; the project's are found as if they were installed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "1000"}
    return subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("alias", ["florence_finetune", "florence_predict", "florence_promote", "florence_tune"])
def test_a_pipeline_names_the_folder_that_hides_its_code(project: Path, alias: str) -> None:
    done = python(project, "-c", f"import {alias}")
    assert done.returncode == 1
    (error,) = done.stderr.splitlines()
    assert error.startswith(f"error: {project / 'pipelines'}: this folder hides ")
    assert "rename" in error


def test_one_folder_of_them_is_enough(tmp_path: Path) -> None:
    (tmp_path / "materializers").mkdir()
    (tmp_path / "materializers" / "__init__.py").write_text(EXECUTED)
    done = python(tmp_path, "-c", "import florence_finetune")
    assert f"{tmp_path / 'materializers'}: this folder hides " in done.stderr
    assert "executed" not in done.stderr


def test_a_command_that_needs_them_says_so_in_a_line(project: Path) -> None:
    done = python(project, "-m", "florence2.cli", "stack", "--help")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {project / 'pipelines'}: this folder hides ")


def test_commands_that_do_not_need_them_work(project: Path) -> None:
    page = python(project, "-m", "florence2.cli", "--help")
    assert (page.returncode, page.stderr) == (0, "")
    assert "train" in page.stdout
    answered = python(project, "-m", "florence2.cli", "train", "--dataset=missing")
    assert answered.stderr.startswith(f"error: {project / 'missing'}: no such folder")


def test_the_doctor_reports_the_folder(project: Path) -> None:
    done = python(project, "-m", "florence2.doctor.isolated", "pipelines.stack_checks:check_stack")
    (found,) = json.loads(done.stdout)
    assert found["level"] == "problem"
    assert found["message"].startswith(f"{project / 'pipelines'}: this folder hides ")


def test_the_packages_of_the_library_are_accepted(tmp_path: Path) -> None:
    code = "from florence2.doctor.own_packages import check_own_packages; check_own_packages()"
    assert python(tmp_path, "-c", code).returncode == 0
    assert python(ROOT, "-c", code).returncode == 0


def test_all_packages_next_to_the_library_are_checked() -> None:
    tops = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert set(OWN_PACKAGES) == tops - {"florence2", "tests", "benchmarks", "pretraining", "docs"}
