"""The model registry: a checkpoint becomes a model version that loads and serves by itself."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tempfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from florence2.config import RegistrationConfig
from florence2.data.manifest import DatasetManifest
from florence2.errors import RegistryError
from florence2.evaluation.report import EvaluationReport
from florence2.model.checkpoint import Checkpoint

__all__ = ["TRAINING_IMAGES", "RegisteredModel", "log_report", "register", "training_images_text"]

_PACKAGE = Path(__file__).parents[2]
_REQUIREMENTS = ("numpy", "pandas", "pillow", "pydantic", "torch", "transformers")
"""What the registered model imports when it runs, besides the code that is stored with it."""

TRAINING_IMAGES = "training_images"
"""Tag with the hash of the file of this name, ``training_images.json``, that lies with each version."""


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
    mlflow.log_metrics(_figures(report))
    with tempfile.TemporaryDirectory() as folder:
        report.save(Path(folder))
        mlflow.log_artifacts(folder, artifact_path="evaluation")


def register(
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    config: RegistrationConfig,
) -> RegisteredModel:
    """Register a checkpoint, its adapters merged, as a new model version and point the alias to it.

    The version holds safetensors and the processor, loads with ``mlflow.pyfunc.load_model``, and says by its
    tags from which data and base it was made.

    Args:
        checkpoint: the fine-tuned model.
        report: its evaluation on the test split.
        training_data: the splits train and valid.
        test_data: the split test.
        config: name and alias.

    Raises:
        RegistryError: no run is active, or the tracking store refused.
    """
    import mlflow
    from mlflow.exceptions import MlflowException

    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    run = mlflow.active_run()
    if run is None:
        raise RegistryError("no MLflow run is active; run the step on a stack with an MLflow experiment tracker")
    try:
        with tempfile.TemporaryDirectory() as folder:
            images = Path(folder) / f"{TRAINING_IMAGES}.json"
            images.write_text(training_images_text(training_data), encoding="utf-8")
            version = _log_model(checkpoint.export(Path(folder) / "model"), [images], config.model_name)
        client = mlflow.MlflowClient()
        for name, value in _tags(checkpoint, report, training_data, test_data).items():
            client.set_model_version_tag(config.model_name, version, name, value)
        client.set_registered_model_alias(config.model_name, config.alias, version)
    except (MlflowException, OSError) as exc:
        raise RegistryError(f"the model could not be registered as {config.model_name!r}: {exc}") from exc
    return RegisteredModel(
        name=config.model_name,
        version=version,
        alias=config.alias,
        uri=f"models:/{config.model_name}/{version}",
        run_id=run.info.run_id,
        tracking_uri=mlflow.get_tracking_uri(),
    )


def training_images_text(training_data: DatasetManifest) -> str:
    """Return the sha256 of each image file of a manifest, sorted, as a JSON list."""
    return json.dumps(sorted({str(value) for value in training_data.table["sha256"] if value}), indent=0) + "\n"


def _figures(report: EvaluationReport) -> dict[str, float]:
    before = {f"before_{name}": value for name, value in report.before.metrics.items()}
    after = {f"after_{name}": value for name, value in report.after.metrics.items()}
    return before | after


def _tags(
    checkpoint: Checkpoint, report: EvaluationReport, training_data: DatasetManifest, test_data: DatasetManifest
) -> dict[str, str]:
    facts = {
        "data_fingerprint": training_data.fingerprint,
        "test_fingerprint": test_data.fingerprint,
        "base": checkpoint.base,
        "base_fingerprint": checkpoint.base_fingerprint,
        "strategy": checkpoint.strategy,
        "checkpoint_fingerprint": checkpoint.fingerprint,
        TRAINING_IMAGES: hashlib.sha256(training_images_text(training_data).encode()).hexdigest(),
    }
    return facts | {name: f"{value:.6g}" for name, value in report.after.metrics.items()}


def _log_model(weights: Path, beside: Sequence[Path], name: str) -> str:
    """Log a model as a pyfunc to the active run, register it, and return its version.

    Args:
        weights: folder of safetensors with the processor.
        beside: files that lie with the version.
        name: of the registered model.
    """
    import mlflow
    import pandas as pd
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema
    from PIL import Image

    from florence2.adapters.mlflow import pyfunc

    inputs = Schema([ColSpec("binary", "image"), ColSpec("string", "prompt")])
    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, format="PNG")
    logged = mlflow.pyfunc.log_model(
        name="model",
        # The file, not the object: MLflow stores its source and pickles nothing.
        python_model=pyfunc.__file__,
        artifacts={file.stem: str(file) for file in (weights, *beside)},
        signature=ModelSignature(inputs=inputs, outputs=Schema([ColSpec("string", "answer")])),
        input_example=pd.DataFrame({"image": [png.getvalue()], "prompt": ["<OD>"]}),
        code_paths=[str(_PACKAGE)],
        # A local build tag such as +cpu names no release.
        pip_requirements=[f"{name}=={metadata.version(name).split('+')[0]}" for name in _REQUIREMENTS],
        registered_model_name=name,
    )
    return str(logged.registered_model_version)
