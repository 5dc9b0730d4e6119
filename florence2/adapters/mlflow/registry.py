"""The model registry: a checkpoint becomes a model version that loads and serves by itself."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from florence2.adapters.mlflow.provenance import (
    PACKAGE,
    TRAINING_IMAGES,
    configuration_text,
    library_files,
    provenance_tags,
    training_images_text,
)
from florence2.config import Configuration, LimitsConfig
from florence2.datasets import DatasetManifest, compute_statistics
from florence2.errors import RegistryError
from florence2.evaluation import EvaluationReport
from florence2.model import Checkpoint
from florence2.reports import render_model_card

__all__ = ["CONFIGURATION", "MODEL_CARD", "STATISTICS", "RegisteredModel", "log_report", "register"]

MODEL_CARD, CONFIGURATION, STATISTICS = "model_card.md", "configuration.json", "statistics.json"
"""Files that lie with each version."""

_REQUIREMENTS = ("lazy-loader", "numpy", "pandas", "pillow", "pydantic", "torch", "transformers")
"""What the registered model imports when it runs, besides the code that is stored with it."""

_DESCRIPTION = 5000
"""Characters that a registry has room for in the description of a version."""


class RegisteredModel(BaseModel):
    """A version in the model registry.

    Attributes:
        name: of the registered model.
        version: its number.
        alias: that points to it.
        uri: by which ``mlflow.pyfunc.load_model`` loads this very version.
        run_id: the MLflow run that made it.
        tracking_uri: the store in which it is.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    alias: str
    uri: str
    run_id: str
    tracking_uri: str


def log_report(report: EvaluationReport) -> None:
    """Log an evaluation to the active MLflow run: ``before_*`` and ``after_*`` metrics and the page."""
    import mlflow

    if mlflow.active_run() is None:
        return
    mlflow.log_metrics(_scores(report))
    with tempfile.TemporaryDirectory() as folder:
        report.save(Path(folder))
        mlflow.log_artifacts(folder, artifact_path="evaluation")


def register(
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    configuration: Configuration,
) -> RegisteredModel:
    """Register a checkpoint, its adapters merged, as a new model version and point the alias to it.

    The version holds safetensors, the processor and the library's code (not its built-in bases), and loads with
    ``mlflow.pyfunc.load_model``. Its tags say from what it was made and what it reached, see ``provenance_tags``; its
    description is the model card. With it lie the card, the settings, the statistics of its training data and the
    hashes of the images in them.

    Args:
        checkpoint: the fine-tuned model.
        report: its evaluation on the test split.
        training_data: the splits train and valid.
        test_data: the split test.
        configuration: settings of the run; name and alias are in ``registration``.

    Raises:
        RegistryError: no run is active, or the tracking store refused.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    run = mlflow.active_run()
    if run is None:
        raise RegistryError("no MLflow run is active; run the step on a stack with an MLflow experiment tracker")
    name, alias = configuration.registration.model_name, configuration.registration.alias
    tags = provenance_tags(checkpoint, report, training_data, test_data, configuration)
    statistics = compute_statistics(training_data)
    test_statistics = compute_statistics(test_data)
    card = render_model_card(name, checkpoint, report, configuration.training, statistics, test_statistics, tags)
    beside = {
        MODEL_CARD: card,
        CONFIGURATION: configuration_text(configuration),
        STATISTICS: json.dumps(statistics.to_dict()),
        f"{TRAINING_IMAGES}.json": training_images_text(training_data),
    }
    try:
        with tempfile.TemporaryDirectory() as folder:
            code = _copy_library(Path(folder) / "code")
            version = _log_model(checkpoint.export(Path(folder) / "model"), beside, code, name)
        client = mlflow.MlflowClient()
        client.update_model_version(name, version, description=_shortened(card))
        for tag, value in tags.items():
            client.set_model_version_tag(name, version, tag, value)
        client.set_registered_model_alias(name, alias, version)
    except (MlflowException, OSError) as exc:
        raise RegistryError(f"the model could not be registered as {name!r}: {exc}") from exc
    return RegisteredModel(
        name=name,
        version=version,
        alias=alias,
        uri=f"models:/{name}/{version}",
        run_id=run.info.run_id,
        tracking_uri=mlflow.get_tracking_uri(),
    )


def _shortened(card: str) -> str:
    if len(card) <= _DESCRIPTION:
        return card
    more = f"\n\n... the rest: `artifacts/{MODEL_CARD}`\n"
    return card[: _DESCRIPTION - len(more)] + more


def _scores(report: EvaluationReport) -> dict[str, float]:
    before = {f"before_{name}": value for name, value in report.before.metrics.items()}
    after = {f"after_{name}": value for name, value in report.after.metrics.items()}
    return before | after


def _copy_library(folder: Path) -> Path:
    """Copy the library's code into a folder, so that a version does not carry the weights of the built-in bases.

    Returns:
        The package in that folder.
    """
    for file in library_files():
        copy = folder / PACKAGE.name / file.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return folder / PACKAGE.name


def _log_model(weights: Path, beside: Mapping[str, str], code: Path, name: str) -> str:
    """Log a model as a pyfunc to the active run, register it, and return its version.

    Args:
        weights: folder of safetensors with the processor.
        beside: texts of the files that lie with the version, by their names.
        code: folder of the package that the model imports.
        name: of the registered model.
    """
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from mlflow.types.schema import Array, DataType, Object, Property
    from PIL import Image

    from florence2.adapters.mlflow import pyfunc

    artifacts = {"model": weights} | {file: weights.parent / file for file in beside}
    for file, text in beside.items():
        artifacts[file].write_text(text, encoding="utf-8")
    inputs = Schema([ColSpec("string", "image"), ColSpec("string", "prompt")])
    box = Object(
        [
            Property("class", DataType.string),
            Property("score", DataType.double),
            Property("xyxy", Array(DataType.double)),
        ]
    )
    outputs = Schema(
        [
            ColSpec("string", "answer"),
            ColSpec("double", "score"),
            ColSpec("boolean", "truncated"),
            ColSpec(Array(box), "boxes"),
        ]
    )
    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, format="PNG")
    logged = mlflow.pyfunc.log_model(
        name="model",
        # The file, not the object: MLflow stores its source and pickles nothing.
        python_model=pyfunc.__file__,
        artifacts={key: str(path) for key, path in artifacts.items()},
        signature=ModelSignature(inputs=inputs, outputs=outputs),
        input_example=pd.DataFrame({"image": [base64.b64encode(png.getvalue()).decode()], "prompt": ["<OD>"]}),
        model_config=LimitsConfig().model_dump(),
        code_paths=[str(code)],
        # A local build tag such as +cpu names no release.
        pip_requirements=[f"{name}=={metadata.version(name).split('+')[0]}" for name in _REQUIREMENTS],
        registered_model_name=name,
    )
    return str(logged.registered_model_version)
