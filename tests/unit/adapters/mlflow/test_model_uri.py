"""Addresses of registered models, and what they load."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from typer.testing import CliRunner

from florence2 import load
from florence2.adapters.mlflow.model_uri import ModelAddress
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.cli import app
from florence2.errors import Florence2Error
from florence2.model.base import load_base, load_folder
from tests.builders import write_scenes
from tests.registration import CONFIG


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
    scenes = write_scenes(tmp_path / "scenes", 1, 1, 1)
    assert model.evaluate({"dataset": str(scenes), "resamples": 0, "max_new_tokens": 16}, "valid").metrics


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("@champion", "no alias 'champion'; there are challenger"),
        ("/7", "no version '7'; there are 1"),
        ("", "is not a registered model; write models:/NAME@ALIAS or models:/NAME/VERSION"),
        ("@a/b", "is not a registered model"),
    ],
)
def test_an_address_without_a_version_is_an_error_that_names_what_there_is(
    registered: RegisteredModel, rest: str, message: str
) -> None:
    with pytest.raises(Florence2Error, match=re.escape(message)):
        ModelAddress.of(f"models:/{registered.name}{rest}", registered.tracking_uri).load()
