"""A checkpoint on disk: what reading it costs, and what its fingerprint depends on."""

from __future__ import annotations

import json
from pathlib import Path

from florence2.config import ModelConfig
from florence2.model.base import load_base, load_folder
from florence2.model.checkpoint import Checkpoint
from florence2.model.saving import save_folder


def checkpoint_in(folder: Path, weights: bytes = b"weights", base_fingerprint: str = "0") -> Checkpoint:
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.safetensors").write_bytes(weights)
    checkpoint = Checkpoint(folder, "full", "builtin:nano", None, base_fingerprint, 1.0)
    checkpoint.write_card()
    return Checkpoint.read(folder)


def test_no_attribute_of_a_checkpoint_reads_its_files(tmp_path: Path) -> None:
    checkpoint = checkpoint_in(tmp_path / "c")
    weights = tmp_path / "c" / "model" / "model.safetensors"
    weights.unlink()
    weights.mkdir()  # to open it is an error from here on
    for name in dir(checkpoint):
        getattr(checkpoint, name)


def test_the_fingerprint_follows_weights_and_base_but_not_the_folder(tmp_path: Path) -> None:
    first = checkpoint_in(tmp_path / "1").compute_fingerprint()
    assert checkpoint_in(tmp_path / "2").compute_fingerprint() == first
    assert checkpoint_in(tmp_path / "3", weights=b"others").compute_fingerprint() != first
    assert checkpoint_in(tmp_path / "4", base_fingerprint="1").compute_fingerprint() != first


def test_the_classes_of_a_training_stay_with_its_model_wherever_it_is_saved(tmp_path: Path) -> None:
    """A base that was itself fine-tuned has its own, which are still known."""
    base = load_base(ModelConfig(base="builtin:nano"))
    assert base.trained_classes is None
    base.record_classes(["dog"])
    save_folder(base, tmp_path / "c" / "model")
    Checkpoint(tmp_path / "c", "full", "builtin:nano", None, "0", 1.0, classes=("cat", "dog")).write_card()
    checkpoint = Checkpoint.read(tmp_path / "c")
    assert checkpoint.classes == ("cat", "dog")
    assert checkpoint.load().trained_classes == ("cat", "dog")
    assert load_folder(str(checkpoint.export(tmp_path / "exported"))).trained_classes == ("cat", "dog")


def test_a_checkpoint_of_an_earlier_version_has_no_record_of_classes(tmp_path: Path) -> None:
    checkpoint_in(tmp_path / "c")
    card = tmp_path / "c" / "checkpoint.json"
    content = json.loads(card.read_text())
    del content["classes"]
    card.write_text(json.dumps(content))
    assert Checkpoint.read(tmp_path / "c").classes is None
