"""Registration: the files of a version, and its card."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from florence2.adapters.mlflow.registration import _copy_library, register
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.versions import RegisteredModel
from florence2.errors import RegistryError
from florence2.model.checkpoint import Checkpoint
from tests.registration import CONFIG, REPORT, held_out, training


def test_a_version_lists_the_images_that_it_was_trained_on(registered: RegisteredModel) -> None:
    registry = Registry(registered.tracking_uri, registered.name)
    assert registry.training_images(registered.version) == set(training().table["sha256"])


def test_the_description_is_the_model_card(registered: RegisteredModel) -> None:
    registry = Registry(registered.tracking_uri, registered.name)
    card = registry.card_of(registered.version)
    for part in ("## Intended use", "## Data", "## Recipe", "## Results", "## Limits"):
        assert part in card
    assert "| mAP50 | 0.100 | 0.820 | 0.780 to 0.860 (95%) |" in card
    assert "cat &lt;b&gt; 0.400, dog 0.900" in card
    assert "fewer than 30 images" in card
    assert registry.text_of(registered.version, "model_card.md") == card


def test_the_copy_of_the_library_reports_that_it_has_no_built_in_weights(tmp_path: Path) -> None:
    _copy_library(tmp_path)
    code = (
        "from florence2.config import ModelConfig; from florence2.model import load_base; "
        "load_base(ModelConfig(base='builtin:nano'))"
    )
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


def test_without_a_run_nothing_is_registered(checkpoint: Checkpoint) -> None:
    with pytest.raises(RegistryError, match="no MLflow run is active"):
        register(checkpoint, REPORT, training(), held_out(), CONFIG)
