"""The registered model in plain MLflow."""

from __future__ import annotations

import base64
import gc
import re
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mlflow
import pandas as pd
import pytest

from florence2.adapters.mlflow.provenance import PACKAGE
from florence2.adapters.mlflow.pyfunc import Florence2Model
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.model.base import BUILTIN_MODELS
from tests.builders import write_image
from tests.tracking import tracked_in


def test_mlflow_loads_it_and_it_answers(registered: RegisteredModel, tmp_path: Path) -> None:
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


def test_it_holds_its_code_and_no_weights_of_bases(registered: RegisteredModel) -> None:
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


def test_a_model_that_is_not_used_any_more_is_freed() -> None:
    context: Any = SimpleNamespace(artifacts={"model": str(BUILTIN_MODELS["builtin:nano"])}, model_config={})
    model = Florence2Model()
    model.load_context(context)
    predictor, thread = weakref.ref(model._predictor), model._batcher._thread
    del model
    thread.join(10)
    gc.collect()
    assert not thread.is_alive()
    assert predictor() is None


def test_an_error_names_the_row_and_limits_are_its_configuration(registered: RegisteredModel, tmp_path: Path) -> None:
    valid = write_image(tmp_path / "a.png", (64, 64)).read_bytes()
    with tracked_in(registered.tracking_uri):
        model = mlflow.pyfunc.load_model(registered.uri)
        small = mlflow.pyfunc.load_model(registered.uri, model_config={"max_pixels": 1000, "allow_urls": True})
    for loaded, image, prompt, message in (
        (model, b"no image", "<OD>", "row 1: image: unreadable"),
        (model, valid, "<ODD>", "row 1: prefix '<ODD>' starts with no task token"),
        (model, "http://localhost/a.png", "<OD>", "row 1: image: images by URL are not fetched"),
        (small, "http://localhost/a.png", "<OD>", "row 1: localhost is not a public address"),
        (small, valid, "<OD>", "row 0: image: too-large, 64 x 64 pixels, at most 1000"),
    ):
        rows = pd.DataFrame({"image": [valid, image], "prompt": ["<OD>", prompt]})
        if loaded is small and isinstance(image, str):
            rows = pd.DataFrame({"image": [write_image(tmp_path / "b.png").read_bytes(), image], "prompt": "<OD>"})
        with pytest.raises(mlflow.exceptions.MlflowException, match=re.escape(message)) as refused:
            loaded.predict(rows)
        assert refused.value.error_code == "INVALID_PARAMETER_VALUE"  # status 400
