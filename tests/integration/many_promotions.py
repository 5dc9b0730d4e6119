"""Registers models and promotes them as a plan says, in one process, and writes how each promotion ended.

The plan is a list of pairs: ``register`` [folder of a checkpoint's model, split it says it was trained on], ``break``
version, ``hide`` (the registry from now on until the end), ``promote`` YAML file.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import mlflow
from many_runs import run
from zenml.client import Client

from florence2.adapters.mlflow.aliases import CHAMPION, Registry
from florence2.adapters.mlflow.registry import register
from florence2.config import Configuration
from florence2.data.formats import read_dataset
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.model.checkpoint import Checkpoint

_NAME = Configuration().registration.model_name


def _register(model: str, trained_on: str, data: Path) -> None:
    """Register a folder ``.../model`` as if it had been trained on a split of the data set."""
    checkpoint = Checkpoint(Path(model).parent, "full", "builtin:nano", None, "base", 1.0)
    report = EvaluationReport(ModelEvaluation("before"), ModelEvaluation("after"))
    manifest = read_dataset(data)
    with mlflow.start_run():
        register(checkpoint, report, manifest.select(trained_on), manifest.select("test"), Configuration())


def _break(version: str, registry: Registry) -> None:
    """Delete the weights of a version from the store, as a careless person would."""
    uri = mlflow.MlflowClient().get_model_version_download_uri(_NAME, version)
    shutil.rmtree(Path(mlflow.artifacts.download_artifacts(uri)) / "artifacts")


def main(plan: list[tuple[str, list[str]]], data: Path, store: str) -> list[tuple[int, str, str | None]]:
    """Carry out the plan; returns exit status, output and champion after each promotion."""
    outcomes = []
    for action, arguments in plan:
        if action == "register":
            _register(*arguments, data=data)
        elif action == "break":
            _break(*arguments, registry=Registry(store, _NAME))
        elif action == "hide":
            file = Path(store.removeprefix("sqlite:///"))
            file.rename(file.with_suffix(".hidden"))
        else:
            status, output = run("florence_promote", *arguments)
            champion = Registry(store, _NAME).version_of(CHAMPION) if action == "promote" else None
            outcomes.append((status, output, champion and champion.version))
    return outcomes


if __name__ == "__main__":
    tracker = Client().active_stack.experiment_tracker
    tracker.configure_mlflow()
    uri = mlflow.get_tracking_uri()
    mlflow.set_experiment("promotions")
    done = main(json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2]), uri)
    Path("promotions.json").write_text(json.dumps(done))
