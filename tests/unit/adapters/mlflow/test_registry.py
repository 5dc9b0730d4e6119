"""A registered version: what it says of itself, and that plain MLflow loads it."""

from __future__ import annotations

import base64
import gc
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import torch
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from florence2 import load
from florence2.adapters.mlflow.aliases import Registry
from florence2.adapters.mlflow.model_uri import ModelAddress
from florence2.adapters.mlflow.provenance import PACKAGE, code_version, split_hash
from florence2.adapters.mlflow.pyfunc import Florence2Model
from florence2.adapters.mlflow.registry import RegisteredModel, _copy_library, register
from florence2.cli import app
from florence2.config import Configuration
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import Florence2Error, RegistryError
from florence2.evaluation.bootstrap import Interval
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.model.base import BUILTIN_MODELS, base_fingerprint, load_base, load_folder
from florence2.model.checkpoint import Checkpoint
from tests.builders import manifest, write_image
from tests.tracking import tracked_in

CONFIG = Configuration(base="builtin:nano", strategy="full", epochs=3)
REPORT = EvaluationReport(
    ModelEvaluation("base", {"map50": 0.1}),
    ModelEvaluation(
        "fine-tuned",
        {"map50": 0.82, "vqa_accuracy": 0.7},
        per_class={"dog": {"ap50": 0.9}, "cat <b>": {"ap50": 0.4}},
        intervals={"map50": Interval(0.78, 0.86)},
    ),
)


def training() -> DatasetManifest:
    return manifest({}, {"split": "valid", "prefix": "<VQA>how many?", "task": "<VQA>", "suffix": "2"})


def held_out() -> DatasetManifest:
    return manifest({"split": "test", "sha256": "f" * 64})


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Checkpoint:
    folder = tmp_path_factory.mktemp("checkpoint")
    base = load_base(CONFIG.model)
    base.model.save_pretrained(folder / "model")
    base.processor.save_pretrained(folder / "model")
    return Checkpoint(folder, "full", CONFIG.model.base, None, base_fingerprint(CONFIG.model), 2.0)


@pytest.fixture(scope="module")
def registered(checkpoint: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> RegisteredModel:
    store = tmp_path_factory.mktemp("store")
    with tracked_in(f"sqlite:///{store}/mlflow.db"):
        experiment = mlflow.create_experiment("e", artifact_location=(store / "artifacts").as_uri())
        with mlflow.start_run(experiment_id=experiment):
            return register(checkpoint, REPORT, training(), held_out(), CONFIG)


def test_the_tags_say_from_what_it_was_made_and_how_good_it_is(registered: RegisteredModel) -> None:
    tags = Registry(registered.tracking_uri, registered.name).tags_of(registered.version)
    assert tags["data_fingerprint"] == training().fingerprint
    assert tags["split_hash"] == split_hash(training(), held_out())
    assert tags["code_version"] == code_version()
    assert tags["base"] == "builtin:nano"
    assert {"base_fingerprint", "checkpoint_fingerprint", "strategy", "lock"} <= tags.keys()
    assert "base_revision" not in tags
    assert (tags["map50_low"], tags["map50"], tags["map50_high"]) == ("0.78", "0.82", "0.86")


def test_the_settings_lie_with_it_and_their_hash_is_a_tag(registered: RegisteredModel) -> None:
    registry = Registry(registered.tracking_uri, registered.name)
    text = registry.text_of(registered.version, "configuration.json")
    assert json.loads(text)["training"]["epochs"] == 3
    assert hashlib.sha256(text.encode()).hexdigest() == registry.tags_of(registered.version)["configuration"]


def test_it_knows_the_images_that_it_was_trained_on(registered: RegisteredModel) -> None:
    registry = Registry(registered.tracking_uri, registered.name)
    assert registry.training_images(registered.version) == set(training().table["sha256"])
    registry.annotate(registered.version, {"training_images": "0"})
    with pytest.raises(RegistryError, match=r"training_images.json is not what was registered"):
        registry.training_images(registered.version)


def test_the_card_says_what_it_is_for_and_where_it_ends(registered: RegisteredModel) -> None:
    registry = Registry(registered.tracking_uri, registered.name)
    card = registry.card_of(registered.version)
    for part in ("## Intended use", "## Data", "## Recipe", "## Results", "## Limits"):
        assert part in card
    assert "| mAP50 | 0.100 | 0.820 | 0.780 to 0.860 (95%) |" in card
    assert "cat &lt;b&gt; 0.400, dog 0.900" in card
    assert "fewer than 30 images" in card
    assert registry.text_of(registered.version, "model_card.md") == card


def test_a_split_hash_follows_who_is_where_and_nothing_else() -> None:
    moved = manifest({"split": "valid"}, {"split": "valid"})
    renamed = manifest({"image": "other.png"}, {"split": "valid", "suffix": "dog<loc_1><loc_2><loc_3><loc_4>"})
    assert split_hash(training()) == split_hash(renamed)
    assert split_hash(training()) != split_hash(moved)


def test_mlflow_loads_it_and_its_input_example_is_answered(registered: RegisteredModel, tmp_path: Path) -> None:
    assert Registry(registered.tracking_uri, registered.name).version_of("challenger") == registered
    folder = Registry(registered.tracking_uri, registered.name).download_into(tmp_path, registered.version)
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {file.name for file in folder.iterdir()}
    with tracked_in(registered.tracking_uri):
        model = mlflow.pyfunc.load_model(registered.uri)
    image = write_image(tmp_path / "a.png", (64, 64))
    answers = model.predict(pd.DataFrame({"image": [image.read_bytes()], "prompt": ["<OD>"]}))
    assert list(answers.columns) == ["answer", "score", "truncated", "boxes"]
    encoded = base64.b64encode(image.read_bytes()).decode()
    assert model.predict(pd.DataFrame({"image": [encoded], "prompt": ["<OD>"]})).equals(answers)
    for box in answers["boxes"][0]:
        assert set(box) == {"class", "score", "xyxy"}
    many = model.predict(pd.DataFrame({"image": [encoded] * 40, "prompt": ["<OD>", "<CAPTION>"] * 20}))
    assert set(many["answer"][::2]) == set(answers["answer"])


_WITHOUT_THE_LIBRARY = """
import importlib.util, sys
from pathlib import Path

sys.meta_path = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
sys.path = [path for path in sys.path if not Path(path, "florence2").is_dir()]
assert importlib.util.find_spec("florence2") is None

import mlflow
import pandas as pd

tracking_uri, model_uri, image = sys.argv[1:]
mlflow.set_tracking_uri(tracking_uri)
model = mlflow.pyfunc.load_model(model_uri)
print(model.predict(pd.DataFrame({"image": [Path(image).read_bytes()], "prompt": ["<OD>"]})).to_json())
print(sys.modules["florence2"].__file__)
"""


def test_it_brings_its_code_and_nothing_but_code_and_answers_where_the_library_is_not_installed(
    registered: RegisteredModel, tmp_path: Path
) -> None:
    uri = mlflow.MlflowClient(registered.tracking_uri).get_model_version_download_uri(
        registered.name, registered.version
    )
    code = Path(uri.removeprefix("file://"), "code")
    stored = [file for file in code.rglob("*") if file.is_file() and file.suffix != ".pyc"]
    assert {file.suffix for file in stored} == {".py", ".pyi", ".html", ".md"}
    assert sum(file.stat().st_size for file in stored) < 3_000_000
    assert (
        Path(PACKAGE, "adapters/mlflow/pyfunc.py").read_bytes()
        == (code / "florence2/adapters/mlflow/pyfunc.py").read_bytes()
    )
    image = write_image(tmp_path / "a.png", (64, 64))
    done = subprocess.run(
        [sys.executable, "-P", "-c", _WITHOUT_THE_LIBRARY, registered.tracking_uri, registered.uri, str(image)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers, file = done.stdout.splitlines()[-2:]
    assert set(json.loads(answers)) == {"answer", "score", "truncated", "boxes"}
    assert Path(file).is_relative_to(code)


def test_the_copy_of_the_library_reports_that_it_has_no_built_in_weights(tmp_path: Path) -> None:
    _copy_library(tmp_path)
    code = "from florence2.config import ModelConfig; from florence2.model import load_base; load_base(ModelConfig())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"builtin:nano: {tmp_path}/florence2 is the copy of the library" in done.stderr
    assert "import the installed florence2 before MLflow loads that model" in done.stderr


def test_a_model_that_is_not_used_any_more_is_freed() -> None:
    context: Any = SimpleNamespace(artifacts={"model": str(BUILTIN_MODELS["builtin:nano"])}, model_config={})
    model = Florence2Model()
    model.load_context(context)
    answerer, thread = weakref.ref(model._answerer), model._batcher._thread
    del model
    thread.join(10)
    gc.collect()
    assert not thread.is_alive()
    assert answerer() is None


def test_mlflow_says_which_row_is_wrong_and_limits_are_its_configuration(
    registered: RegisteredModel, tmp_path: Path
) -> None:
    valid = write_image(tmp_path / "a.png", (64, 64)).read_bytes()
    with tracked_in(registered.tracking_uri):
        model = mlflow.pyfunc.load_model(registered.uri)
        small = mlflow.pyfunc.load_model(registered.uri, model_config={"max_pixels": 1000, "allow_urls": True})
    for loaded, image, prompt, message in (
        (model, b"no image", "<OD>", "row 1: image: unreadable"),
        (model, valid, "<ODD>", "row 1: prefix '<ODD>' starts with no task token"),
        (model, "http://localhost/a.png", "<OD>", "row 1: image: images by URL are not fetched"),
        (small, "http://localhost/a.png", "<OD>", "row 1: localhost is no public address"),
        (small, valid, "<OD>", "row 0: image: too-large, 64 x 64 pixels, at most 1000"),
    ):
        rows = pd.DataFrame({"image": [valid, image], "prompt": ["<OD>", prompt]})
        if loaded is small and isinstance(image, str):
            rows = pd.DataFrame({"image": [write_image(tmp_path / "b.png").read_bytes(), image], "prompt": "<OD>"})
        with pytest.raises(mlflow.exceptions.MlflowException, match=re.escape(message)) as refused:
            loaded.predict(rows)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"  # status 400


def test_it_is_exported_with_the_card_and_the_scores_that_it_was_registered_with(
    registered: RegisteredModel, tmp_path: Path
) -> None:
    output = tmp_path / "exported"
    command = ["export", str(output), "--model", f"models:/{registered.name}@challenger"]
    done = CliRunner().invoke(app, [*command, "--tracking-uri", registered.tracking_uri])
    assert done.exit_code == 0, done.output
    card = ModelCard.load(output / "README.md")
    assert Registry(registered.tracking_uri, registered.name).text_of(registered.version, "model_card.md") in card.text
    assert card.data.metrics == ["map50", "vqa_accuracy"]
    assert "visual-question-answering" in card.data.tags
    assert "## How to load it" in card.text
    weights = load_folder(str(output)).model.lm_head.weight
    assert torch.equal(weights, load_base(CONFIG.model).model.lm_head.weight)


def test_python_loads_it_by_its_alias_and_leaves_no_files(
    registered: RegisteredModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", registered.tracking_uri)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    model = load(f"models:/{registered.name}@challenger", device="cpu")
    white = np.full((64, 64, 3), 255, dtype=np.uint8)
    assert model.predict(white, "<VQA>How many shapes are there?").text
    assert not list(tmp_path.iterdir())
    assert model.evaluate({"dataset": "builtin:cards", "resamples": 0}, "valid").metrics


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("@champion", "no alias 'champion'; there are challenger"),
        ("/7", "no version '7'; there are 1"),
        ("", "is no registered model; write models:/NAME@ALIAS or models:/NAME/VERSION"),
        ("@a/b", "is no registered model"),
    ],
)
def test_an_address_that_leads_nowhere_is_told(registered: RegisteredModel, place: str, message: str) -> None:
    with pytest.raises(Florence2Error, match=re.escape(message)):
        ModelAddress.of(f"models:/{registered.name}{place}", registered.tracking_uri).load()


def test_without_a_run_nothing_is_registered(checkpoint: Checkpoint) -> None:
    with pytest.raises(RegistryError, match="no MLflow run is active"):
        register(checkpoint, REPORT, training(), held_out(), CONFIG)
