"""With a remote artifact store steps request machines and container images, and a YAML file overrides them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.images import locked_packages
from tests.integration.forked import run_forked

ROOT = Path(__file__).resolve().parents[2]
USE_GPUS = {"choose_learning_rate", "fine_tune", "evaluate_model"}
FILE = {
    "settings": {"docker": {"required_integrations": ["azure"]}},
    "steps": {"fine_tune": {"settings": {"resources": {"gpu_count": 4}, "docker": {"apt_packages": ["git"]}}}},
}


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("compile")
    (folder / "run.yaml").write_text(yaml.safe_dump(FILE))
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "ZENML_CONFIG_PATH": str(folder / "zenml"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "ZENML_ANALYTICS_OPT_IN": "false",
    }
    command = [sys.executable, str(ROOT / "tests/integration/compile_remote.py"), str(folder / "run.yaml")]
    done = run_forked(command, ROOT, environment)
    assert done.returncode == 0, done.stdout + done.stderr
    compiled: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return compiled


def test_steps_that_train_or_generate_request_gpus_and_are_tried_again(steps: dict[str, Any]) -> None:
    gpus = {name: step["resources"]["gpu_count"] or 0 for name, step in steps.items()}
    assert {name for name, count in gpus.items() if count} == USE_GPUS
    assert {name: step["retries"] for name, step in steps.items()} == {name: 2 if gpus[name] else 0 for name in steps}
    assert all(step["resources"]["memory"] and step["resources"]["cpu_count"] for step in steps.values())


def test_each_step_has_its_image(steps: dict[str, Any]) -> None:
    with_cuda = {
        name for name, step in steps.items() if step["docker"]["requirements"] == locked_packages(with_cuda=True)
    }
    assert with_cuda == USE_GPUS
    without = [step["docker"]["requirements"] for name, step in steps.items() if name not in with_cuda]
    assert without == [locked_packages(with_cuda=False)] * 5


def test_a_file_changes_single_settings_and_keeps_the_others(steps: dict[str, Any]) -> None:
    trained = steps["fine_tune"]
    assert trained["resources"]["gpu_count"] == 4
    assert trained["resources"]["memory"] == steps["evaluate_model"]["resources"]["memory"]
    assert trained["docker"]["apt_packages"] == ["git"]
    assert trained["docker"]["requirements"] == steps["evaluate_model"]["docker"]["requirements"]
    assert all(step["docker"]["required_integrations"] == ["azure"] for step in steps.values())
