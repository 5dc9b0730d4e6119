"""The workflows of CI servers call make targets, and nothing that cannot be tried without them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests import ROOT

TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def commands(name: str) -> list[str]:
    content: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    (job,) = content["jobs"].values()
    targets = job.get("strategy", {}).get("matrix", {}).get("target", [""])
    found = [step["run"] for step in job["steps"] if "run" in step]
    return [command.replace("${{ matrix.target }}", target) for command in found for target in targets]


@pytest.mark.parametrize(("name", "wanted"), [("ci.yml", {"check", "test", "run"}), ("retrain.yml", {"retrain"})])
def test_every_make_target_of_a_workflow_is_there(name: str, wanted: set[str]) -> None:
    made = {command.removeprefix("make ") for command in commands(name) if command.startswith("make ")}
    assert made == wanted
    assert made <= TARGETS


def test_the_workflow_takes_the_files_that_the_target_takes() -> None:
    text = (ROOT / ".github" / "workflows" / "retrain.yml").read_text()
    makefile = (ROOT / "Makefile").read_text()
    for name, file in (("FINETUNE", "configs/retrain.yaml"), ("PROMOTE", "configs/promote.yaml")):
        assert f"{name} ?= {file}" in makefile
        assert f"{name}: ${{{{ inputs.{name.lower()} || '{file}' }}}}" in text
