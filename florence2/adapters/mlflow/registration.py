"""Registration: a checkpoint becomes a version of a registered model, which loads and serves without this library."""

from __future__ import annotations

import base64
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from florence2.adapters.mlflow.client import open_client, prepare_environment, translate_errors
from florence2.adapters.mlflow.provenance import (
    PACKAGE,
    TRAINING_IMAGES,
    configuration_text,
    library_files,
    provenance_tags,
    training_images_text,
)
from florence2.adapters.mlflow.versions import CONFIGURATION, MODEL_CARD, STATISTICS, RegisteredModel
from florence2.config import Configuration, LimitsConfig
from florence2.datasets import DatasetManifest, compute_statistics
from florence2.errors import RegistryError
from florence2.evaluation import BaselineScores, EvaluationReport
from florence2.model import Checkpoint
from florence2.reports import render_model_card

if TYPE_CHECKING:
    import pandas as pd
    from mlflow.models import ModelSignature

__all__ = ["log_report", "register"]

_REQUIREMENTS = ("lazy-loader", "numpy", "pandas", "pillow", "pydantic", "torch", "transformers")
"""Packages that the registered model imports, besides the code that is stored with it."""

_DESCRIPTION = 5000
"""Greatest number of characters in the description of a version."""


def log_report(report: EvaluationReport) -> None:
    """Log an evaluation to the active MLflow run: metrics ``before_*``, ``after_*`` and ``baseline_*``, and the page.

    ``over_baseline_*`` are the differences of the model from the baseline.
    """
    import mlflow

    if mlflow.active_run() is None:
        return
    before = {f"before_{name}": value for name, value in report.before.metrics.items()}
    after = {f"after_{name}": value for name, value in report.after.metrics.items()}
    baseline = report.after.baseline or BaselineScores()
    guessed = {f"baseline_{name}": value for name, value in baseline.metrics.items()}
    over = {f"over_baseline_{name}": compared.difference for name, compared in baseline.comparison.items()}
    mlflow.log_metrics(before | after | guessed | over)
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
    ``mlflow.pyfunc.load_model``. Its tags name its data, base, code, settings and scores, see ``provenance_tags``; its
    description is the model card. It also holds the card, the settings, the statistics of its training data and the
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

    prepare_environment()
    run = mlflow.active_run()
    if run is None:
        raise RegistryError("no MLflow run is active; run the step on a stack with an MLflow experiment tracker")
    name, alias = configuration.registration.model_name, configuration.registration.alias
    tags = provenance_tags(checkpoint, report, training_data, test_data, configuration)
    texts = _texts(checkpoint, report, training_data, test_data, configuration, tags)
    with translate_errors(f"the model could not be registered as {name!r}"):
        with tempfile.TemporaryDirectory() as folder:
            code = _copy_library(Path(folder) / "code")
            version = _log_model(checkpoint.export(Path(folder) / "model"), texts, code, name)
        client = open_client(mlflow.get_tracking_uri())
        client.update_model_version(name, version, description=_shorten(texts[MODEL_CARD]))
        for tag, value in tags.items():
            client.set_model_version_tag(name, version, tag, value)
        client.set_registered_model_alias(name, alias, version)
    return RegisteredModel(
        name=name,
        version=version,
        alias=alias,
        uri=f"models:/{name}/{version}",
        run_id=run.info.run_id,
        tracking_uri=mlflow.get_tracking_uri(),
    )


def _texts(
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    configuration: Configuration,
    tags: Mapping[str, str],
) -> dict[str, str]:
    """Return the text files of a version by their names."""
    name, training = configuration.registration.model_name, configuration.training
    statistics, test_statistics = compute_statistics(training_data), compute_statistics(test_data)
    return {
        MODEL_CARD: render_model_card(name, checkpoint, report, training, statistics, test_statistics, tags),
        CONFIGURATION: configuration_text(configuration),
        STATISTICS: json.dumps(statistics.to_dict()),
        f"{TRAINING_IMAGES}.json": training_images_text(training_data),
    }


def _shorten(card: str) -> str:
    if len(card) <= _DESCRIPTION:
        return card
    more = f"\n\n... the rest: `artifacts/{MODEL_CARD}`\n"
    return card[: _DESCRIPTION - len(more)] + more


def _copy_library(folder: Path) -> Path:
    """Copy the library's code into a folder, so that a version does not hold the weights of the built-in bases.

    Returns:
        The package in that folder.
    """
    for file in library_files():
        copy = folder / PACKAGE.name / file.relative_to(PACKAGE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return folder / PACKAGE.name


def _log_model(weights: Path, texts: Mapping[str, str], code: Path, name: str) -> str:
    """Log a model as a pyfunc to the active run, register it, and return its version.

    Args:
        weights: folder of safetensors with the processor.
        texts: text files of the version, by their names.
        code: folder of the package that the model imports.
        name: of the registered model.
    """
    import mlflow

    from florence2.adapters.mlflow import pyfunc

    artifacts = {"model": weights} | {file: weights.parent / file for file in texts}
    for file, text in texts.items():
        artifacts[file].write_text(text, encoding="utf-8")
    logged = mlflow.pyfunc.log_model(
        name="model",
        # The file, not the object: MLflow stores its source and pickles nothing.
        python_model=pyfunc.__file__,
        artifacts={key: str(path) for key, path in artifacts.items()},
        signature=_signature(),
        input_example=_input_example(),
        model_config=LimitsConfig().model_dump(),
        code_paths=[str(code)],
        # A local build tag such as +cpu is not part of the name of a release.
        pip_requirements=[f"{name}=={metadata.version(name).split('+')[0]}" for name in _REQUIREMENTS],
        registered_model_name=name,
    )
    return str(logged.registered_model_version)


def _signature() -> ModelSignature:
    """Return the columns of requests and answers."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema, TensorSpec
    from mlflow.types.schema import Array, DataType, Object, Property

    box = Object(
        [
            Property("class", DataType.string),
            Property("score", DataType.double),
            Property("xyxy", Array(DataType.double)),
            Property("unseen", DataType.boolean, required=False),
        ]
    )
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec("string", "answer"),
        ColSpec("double", "score"),
        ColSpec("boolean", "truncated"),
        ColSpec(Array(box), "boxes"),
    ]
    inputs: list[ColSpec | TensorSpec] = [ColSpec("string", "image"), ColSpec("string", "prompt")]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs))


def _input_example() -> pd.DataFrame:
    """Return a request with a small black image."""
    import pandas as pd
    from PIL import Image

    png = io.BytesIO()
    Image.new("RGB", (8, 8)).save(png, format="PNG")
    return pd.DataFrame({"image": [base64.b64encode(png.getvalue()).decode()], "prompt": ["<OD>"]})
