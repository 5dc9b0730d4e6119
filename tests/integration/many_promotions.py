"""Registers models and promotes them as a plan says, in one process, and writes how each promotion ended.

The plan is a list of pairs: ``register`` [folder of a checkpoint's model, folder of its base, split it says it was
trained on], ``break`` version, ``forget`` [version, tag], ``hide`` (the registry, for good), ``promote`` YAML file.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import mlflow
from many_runs import run  # type: ignore[import-not-found]  # is in the folder of this script

from florence2.adapters.mlflow.registration import register
from florence2.adapters.mlflow.registry import CHAMPION, Registry
from florence2.config import Configuration, ModelConfig
from florence2.datasets.formats import read_dataset
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.model.base import base_fingerprint
from florence2.model.checkpoint import Checkpoint
from steps.stack_registry import tracking_uri

_NAME = Configuration().registration.model_name


def _register(store: str, data: Path, model: str, base: str, trained_on: str) -> None:
    """Register a folder ``.../model`` as if it had been trained from a base on a split of the data set."""
    fingerprint = base_fingerprint(ModelConfig(base=base))
    checkpoint = Checkpoint(Path(model).parent, "full", base, None, fingerprint, 1.0)
    report = EvaluationReport(ModelEvaluation("before"), ModelEvaluation("after"))
    manifest = read_dataset(data)
    mlflow.set_tracking_uri(store)  # a pipeline run leaves it as it was before
    mlflow.set_experiment("promotions")
    with mlflow.start_run():
        register(checkpoint, report, manifest.select(trained_on), manifest.select("test"), Configuration())


def _break(store: str, version: str) -> None:
    """Delete the files of a version from the store, as a careless person would."""
    uri = mlflow.MlflowClient(store).get_model_version_download_uri(_NAME, version)
    shutil.rmtree(Path(uri.removeprefix("file://")) / "artifacts")


def _promote(store: str, config: str) -> tuple[int, str, str | None]:
    """Promote; returns exit status, output, and the champion of now."""
    status, output = run("florence_promote", config)
    champion = Registry(store, _NAME).version_of(CHAMPION) if _file(store).exists() else None
    return status, output, champion.version if champion else None


def _file(store: str) -> Path:
    return Path(store.removeprefix("sqlite:///"))


def main(plan: Path, data: Path) -> None:
    """Carry out the plan and write ``promotions.json``."""
    store = tracking_uri()
    outcomes = []
    for action, arguments in json.loads(plan.read_text()):
        if action == "register":
            _register(store, data, *arguments)
        elif action == "break":
            _break(store, *arguments)
        elif action == "forget":
            mlflow.MlflowClient(store).delete_model_version_tag(_NAME, *arguments)
        elif action == "hide":
            _file(store).rename(_file(store).with_suffix(".hidden"))
        else:
            outcomes.append(_promote(store, *arguments))
    Path("promotions.json").write_text(json.dumps(outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
