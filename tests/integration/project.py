"""A copy of the project with a ZenML store of its own, and pipeline runs in it as processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.integration.forked import run_forked

__all__ = ["STEPS", "Outcome", "Project"]

STEPS = [
    "ingest_dataset",
    "validate_annotations",
    "split_dataset",
    "choose_recipe",
    "choose_learning_rate",
    "fine_tune",
    "evaluate_model",
    "register_model",
]
"""The steps of ``florence_finetune`` in the order in which they run."""

_ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("florence2", "pipelines", "steps", "materializers", "configs")

_COPIED_FILES = (
    "florence_finetune.py",
    "florence_predict.py",
    "florence_promote.py",
    "florence_tune.py",
    "pyproject.toml",
    "requirements.lock",
)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: exit status.
        output: everything that was printed.
        summary: what it wrote to ``summary.json``; empty if it wrote none.
    """

    status: int
    output: str
    summary: dict[str, Any]


@dataclass(frozen=True)
class Project:
    """A copy of the project's code; an edit of it changes no other copy.

    Attributes:
        root: the folder.
        runner: runs a command in a folder with an environment.
    """

    root: Path
    runner: Callable[[Sequence[str], Path, Mapping[str, str]], subprocess.CompletedProcess[str]] = run_forked

    @classmethod
    def copy_to(cls, root: Path) -> Project:
        """Copy the code and set up the local stack."""
        cls.copy_code_to(root)
        project = cls(root)
        project.execute([sys.executable, "-m", "pipelines.local_stack"]).check_returncode()
        return project

    @staticmethod
    def copy_code_to(root: Path) -> None:
        """Copy the code alone."""
        for name in _COPIED:
            shutil.copytree(_ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for file in _COPIED_FILES:
            shutil.copy(_ROOT / file, root)

    def execute(self, command: Sequence[str], **environment: str) -> subprocess.CompletedProcess[str]:
        """Run ``python`` or ``zenml`` in the copy, with a ZenML store, a cache and an import path of its own."""
        return self.runner(command, self.root, self._environment() | environment)

    def start(
        self, name: str, parameters: Mapping[str, Any], pipeline: str = "florence_finetune"
    ) -> subprocess.Popen[bytes]:
        """Start a run in a process group of its own and do not wait for it."""
        command = ["zenml", "pipeline", "run", pipeline, "-c", str(self.write_config(name, parameters))]
        output = (self.root / f"{name}.log").open("wb")
        with output:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self._environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _environment(self) -> dict[str, str]:
        # What a test of the same process has set for MLflow is not a choice of this project's user.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        return inherited | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(self.root),
            "ZENML_CONFIG_PATH": str(self.root / ".store"),
            "XDG_CACHE_HOME": str(self.root / ".cache"),
            "ZENML_ANALYTICS_OPT_IN": "false",
            "ZENML_LOGGING_COLORS_DISABLED": "true",
            "HF_HUB_OFFLINE": "1",
            # Models this small gain nothing from a second thread, and lose much where it has no core of its own.
            "OMP_NUM_THREADS": "1",
        }

    def run(self, name: str, parameters: Mapping[str, Any], pipeline: str = "florence_finetune") -> Outcome:
        """Run ``zenml pipeline run PIPELINE -c NAME.yaml`` with these parameters."""
        config = self.write_config(name, parameters)
        done = self.execute(["zenml", "pipeline", "run", pipeline, "-c", str(config)])
        summary = self.root / "outputs" / name / "summary.json"
        content = json.loads(summary.read_text()) if done.returncode == 0 else {}
        return Outcome(done.returncode, done.stdout + done.stderr, content)

    def run_all(self, configs: Mapping[str, Mapping[str, Any]]) -> dict[str, Outcome]:
        """Run the pipeline once for each configuration, all in one process: starting ZenML takes ten seconds."""
        files = [str(self.write_config(name, parameters)) for name, parameters in configs.items()]
        driver = Path(__file__).with_name("many_runs.py")
        done = self.execute([sys.executable, str(driver), *files])
        assert done.returncode == 0, done.stdout + done.stderr
        outcomes = json.loads((self.root / "outcomes.json").read_text())
        return {name: Outcome(status, output, {}) for name, (status, output) in zip(configs, outcomes, strict=True)}

    def write_config(self, name: str, parameters: Mapping[str, Any]) -> Path:
        """Write the YAML file of a run."""
        file = self.root / f"{name}.yaml"
        file.write_text(yaml.safe_dump({"parameters": dict(parameters)}))
        return file

    def edit(self, file: str) -> None:
        """Change one line of a source file without changing what it does."""
        path = self.root / file
        path.write_text(path.read_text() + "\n# edited\n")
