"""Stacks as files: what is read, what is filled in, and the messages about mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.errors import ConfigurationError
from pipelines.local_stack import LOCAL_STACK
from pipelines.stacks.secrets import is_reference
from pipelines.stacks.stack_file import StackFile, read_stack
from tests import ROOT

_FILES = sorted((ROOT / "configs" / "stacks").glob("*.yaml"))
_ENVIRONMENT = {
    "ARTIFACT_STORE": "s3://bucket/folder",
    "CONTAINER_REGISTRY": "registry.example.org/team",
    "GOOGLE_CLOUD_LOCATION": "europe-west4",
    "GOOGLE_CLOUD_PROJECT": "project",
    "KUBEFLOW_HOST": "https://kubeflow.example.org/pipeline",
    "KUBERNETES_CONTEXT": "context",
    "MLFLOW_TRACKING_URI": "https://mlflow.example.org",
    "VERTEX_SERVICE_ACCOUNT": "account@project",
}


def _read(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> StackFile:
    file = tmp_path / "stack.yaml"
    file.write_text(text)
    return read_stack(file, environment or {})


def _problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        _read(tmp_path, text)
    return [line.strip().removeprefix(f"{tmp_path}/") for line in str(raised.value).splitlines()[1:]]


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_every_stack_of_the_project_is_valid(file: Path) -> None:
    assert {"orchestrator", "artifact_store"} <= read_stack(file, _ENVIRONMENT).by_kind().keys()


def test_the_local_stack_is_that_of_its_file() -> None:
    assert read_stack(next(file for file in _FILES if file.stem == "local"), {}) == LOCAL_STACK


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.stem)
def test_no_stack_of_the_project_holds_a_password(file: Path) -> None:
    secret = ("key", "secret", "token", "tracking_username", "tracking_password")
    for component in read_stack(file, _ENVIRONMENT).by_kind().values():
        assert all(is_reference(value) for name, value in component.configuration.items() if name in secret)


def test_a_component_without_a_name_has_that_of_the_stack(tmp_path: Path) -> None:
    stack = _read(
        tmp_path,
        "name: mine\ncomponents:\n  orchestrator: {flavor: local, name: theirs}\n  artifact_store: {flavor: local}\n",
    )
    assert {kind: component.name for kind, component in stack.by_kind().items()} == {
        "orchestrator": "theirs",
        "artifact_store": "mine",
    }


def test_variables_are_filled_in_wherever_a_text_stands(tmp_path: Path) -> None:
    text = """
name: mine
components:
  orchestrator: {flavor: local}
  artifact_store:
    flavor: s3
    configuration: {path: "s3://${BUCKET}/a", client_kwargs: {urls: ["${URL}"], region: 1}, key: "{{store.key}}"}
"""
    stack = _read(tmp_path, text, {"BUCKET": "bucket", "URL": "http://${BUCKET}"})
    assert stack.by_kind()["artifact_store"].configuration == {
        "path": "s3://bucket/a",
        "client_kwargs": {"urls": ["http://${BUCKET}"], "region": 1},
        "key": "{{store.key}}",
    }


def test_all_mistakes_are_reported_together_with_their_lines(tmp_path: Path) -> None:
    text = """name: mine
components:
  orchestator: {flavor: local}
  artifact_store:
    flavour: s3
    flavor: s3
    configuration:
      path: ${NOWHERE}
  image_builder:
    flavor: 3
colour: red
"""
    assert _problems(tmp_path, text) == [
        "stack.yaml:8: components.artifact_store.configuration.path: the environment variable NOWHERE is not set;"
        " `export NOWHERE=...` it first",
        "stack.yaml:2: components.orchestrator: is missing",
        "stack.yaml:5: components.artifact_store.flavour: unknown key; did you mean 'flavor'?",
        "stack.yaml:10: components.image_builder.flavor: Input should be a valid string, not 3",
        "stack.yaml:3: components.orchestator: unknown key; did you mean 'orchestrator'?",
        "stack.yaml:11: colour: unknown key; known here: name, components",
    ]


@pytest.mark.parametrize("text", ["- a list", "name: [", "just text", ""])
def test_what_is_no_mapping_is_refused_with_the_name_of_the_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"stack\.yaml"):
        _read(tmp_path, text)


def test_a_file_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"gone\.yaml: cannot be read \(No such file"):
        read_stack(tmp_path / "gone.yaml", {})
