"""What a run on a stack needs and does not find, each with the command that repairs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.stacks.flavors import Settings
from pipelines.stacks.missing import missing_packages, missing_parts

_GOOD = {"kfp": "2.16.1", "kfp-kubernetes": "2.16.1", "kubernetes": "30.1.0", "boto3": "1.43.0", "s3fs": "2026.9.0"}
_REMOTE = {
    "orchestrator": Settings({}, is_local=False, is_remote=True),
    "artifact_store": Settings({"path": "s3://bucket"}, is_local=False, is_remote=False),
    "container_registry": Settings({"uri": "registry.example.org"}, is_local=False, is_remote=False),
    "image_builder": Settings({}, is_local=True, is_remote=False),
    "experiment_tracker": Settings({"tracking_uri": "https://mlflow.example.org"}, is_local=False, is_remote=False),
}
_FLAVORS = {
    "orchestrator": "kubeflow_gpu",
    "artifact_store": "s3",
    "container_registry": "default",
    "image_builder": "kaniko",
    "experiment_tracker": "mlflow",
}


def test_nothing_is_missing_where_the_versions_are_those_that_work() -> None:
    assert missing_packages(["kubeflow_gpu", "s3", "mlflow", "local"], _GOOD) == []


@pytest.mark.parametrize("version", ["2.17.0", "2.15.2", "1.8.22"])
def test_a_kfp_with_which_zenml_cannot_compile_is_refused_with_the_command(version: str) -> None:
    (missing,) = missing_packages(["kubeflow_gpu"], _GOOD | {"kfp": version})
    assert missing.what.startswith(f"kfp {version} does not work here")
    assert "2.16" in missing.what
    assert missing.remedy == "pip install 'florence2-finetune[kubeflow]'"


def test_an_absent_package_is_reported_once_with_the_command() -> None:
    missing = missing_packages(["kubeflow_gpu", "kubeflow", "s3"], {"kubernetes": "30.1.0"})
    assert [part.what.split()[2] for part in missing] == ["kfp", "kfp-kubernetes", "boto3", "s3fs"]
    assert missing[-1].remedy == "pip install 'florence2-finetune[s3]'"


def test_a_stack_that_runs_here_needs_no_server() -> None:
    local = {kind: Settings({}, is_local=True, is_remote=False) for kind in ("orchestrator", "artifact_store")}
    assert missing_parts(local, {"orchestrator": "local", "artifact_store": "local"}, unreachable="sqlite:///x") == []


def test_a_complete_remote_stack_misses_nothing() -> None:
    assert missing_parts(_REMOTE, _FLAVORS, unreachable=None) == []


def test_all_that_a_remote_stack_misses_is_in_one_list() -> None:
    parts = {"orchestrator": _REMOTE["orchestrator"], "artifact_store": Settings({}, is_local=True, is_remote=False)}
    missing = missing_parts(
        parts, {"orchestrator": "kubeflow_gpu", "artifact_store": "local"}, unreachable="sqlite:///x"
    )
    assert [part.what.split(":")[0] for part in missing] == [
        "a ZenML server",
        "the artifact store is on this machine alone (flavour local)",
        "the container registry is not in the file",
        "the image builder is not in the file",
        "an MLflow server",
    ]
    assert missing[0].remedy.startswith("zenml login ")
    assert "artifact_store: {flavor: s3" in missing[1].remedy


@pytest.mark.parametrize(("script", "words"), [("exit 1", ["Docker"]), ("exit 0", [])])
def test_docker_must_answer_where_it_builds_the_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: list[str]
) -> None:
    docker = tmp_path / "docker"
    docker.write_text(f"#!/bin/sh\n{script}\n")
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = missing_parts(_REMOTE, _FLAVORS | {"image_builder": "local"}, unreachable=None)
    assert [part.what.split(",")[0] for part in missing] == words
