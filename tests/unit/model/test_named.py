"""One name, many kinds of models."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from florence2.config import Configuration, ModelConfig
from florence2.errors import ModelError
from florence2.model.base import BUILTIN_MODELS, base_fingerprint
from florence2.model.checkpoint import Checkpoint
from florence2.model.named import checkpoint_named, load_named, named_fingerprint
from florence2.sdk.run_folder.folders import save_settings


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run whose checkpoint is the built-in base itself."""
    folder = tmp_path / "runs" / "1"
    shutil.copytree(BUILTIN_MODELS["builtin:nano"], folder / "checkpoints" / "best" / "model")
    save_settings(Configuration(), folder)
    Checkpoint(folder / "checkpoints" / "best", "full", "builtin:nano", None, "0", 1.0).write_card()
    return folder


def test_a_run_a_checkpoint_and_a_folder_are_loaded_by_their_paths(run: Path) -> None:
    weights = [
        load_named(str(name)).model.lm_head.weight
        for name in ("builtin:nano", run, run / "checkpoints" / "best", run / "checkpoints" / "best" / "model")
    ]
    assert all(bool((weights[0] == other).all()) for other in weights[1:])


def test_the_fingerprint_is_that_of_the_content(run: Path) -> None:
    found = checkpoint_named(str(run))
    assert found is not None
    before = named_fingerprint(str(run))
    assert before == named_fingerprint(str(run / "checkpoints" / "best")) == found.compute_fingerprint()
    (run / "checkpoints" / "best" / "model" / "config.json").write_text("{}")
    assert named_fingerprint(str(run)) != before
    assert named_fingerprint("builtin:nano") == base_fingerprint(ModelConfig(base="builtin:nano"))


def test_what_is_no_model_is_named(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no folder of that name"):
        load_named("nothing")
    with pytest.raises(ModelError, match=r"without a config\.json"):
        load_named(str(tmp_path))
    with pytest.raises(ModelError, match="unknown built-in"):
        named_fingerprint("builtin:huge")
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(ModelError, match=r"no checkpoint yet; resume it by: florence2 train --resume"):
        load_named(str(run))
