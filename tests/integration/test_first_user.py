"""The way of a first user: is all well, what are my data, and a fine-tune of what was written, by the pipeline."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from florence2.doctor.isolated import run_isolated
from tests.builders import write_scenes
from tests.integration.project import Project

CHECK = "pipelines.stack_checks:check_stack"


@pytest.fixture
def store(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The copied project as this process's own: folder, ZenML store and cache."""
    for name, value in project._environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(project.root)
    return project.root / ".store"


def test_doctor_finds_the_stack_of_the_project_and_nothing_wrong(project: Project) -> None:
    done = project.execute([sys.executable, "-m", "florence2.cli", "doctor", "--json"])
    content = json.loads(done.stdout)
    found: dict[str, list[dict[str, Any]]] = {}
    for finding in content["findings"]:
        found.setdefault(finding["check"], []).append(finding)
    assert list(found) == [
        "python", "packages", "extras", "machine", "gpu", "disk", "mlflow", "model", "zenml", "terminal",
    ]  # fmt: skip
    ours = [finding for name in ("python", "mlflow", "model", "zenml") for finding in found[name]]
    assert [finding["message"] for finding in ours if finding["level"] != "ok"] == []
    assert "experiment_tracker florence2_tracker, model_registry florence2_registry" in found["zenml"][0]["message"]
    assert done.returncode == (1 if content["level"] == "problem" else 0)


def test_without_a_configuration_of_zenml_none_is_made(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZENML_CONFIG_PATH", str(tmp_path / "zen"))
    (found,) = run_isolated(CHECK, 60)
    assert (found.level, found.fix) == ("warning", "python -m pipelines.local_stack")
    assert not (tmp_path / "zen").exists()


def test_a_stack_without_mlflow_is_named(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # where none is chosen, the default one is active
    about, lacks = run_isolated(CHECK, 60)
    assert "stack default" in about.message
    assert "no MLflow experiment tracker and no MLflow model registry" in lacks.message
    assert "run `make stack`" in lacks.message


def test_a_server_that_is_down_is_a_problem_and_no_wait(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("ZENML_STORE_URL", f"http://127.0.0.1:{port}")
    (found,) = run_isolated(CHECK, 60)
    assert found.level == "problem"
    assert f"ZenML's server: http://127.0.0.1:{port}: nothing answers at 127.0.0.1:{port}" in found.message


def test_a_server_that_accepts_and_is_silent_does_not_hold_up_the_doctor(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("ZENML_STORE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        (found,) = run_isolated(CHECK, 15)
    assert found.level == "problem"


def test_the_pipeline_runs_from_what_init_wrote(project: Project, tmp_path: Path) -> None:
    data = write_scenes(tmp_path / "data")
    folder = project.root / "tiles"
    made = project.execute([sys.executable, "-m", "florence2.cli", "init", str(folder), "--dataset", str(data)])
    assert made.returncode == 0, made.stderr
    content = yaml.safe_load((folder / "florence.yaml").read_text())
    content["parameters"]["training"] |= {"epochs": 1, "preview": 0}
    (folder / "florence.yaml").write_text(yaml.safe_dump(content))
    done = project.execute(["zenml", "pipeline", "run", "florence_finetune", "-c", str(folder / "florence.yaml")])
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((project.root / "outputs" / "florence" / "summary.json").read_text())
    assert "tiles" in json.dumps(summary)
