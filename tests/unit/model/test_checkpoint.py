"""A checkpoint on disk: what reading it costs, and what its fingerprint depends on."""

from __future__ import annotations

from pathlib import Path

from florence2.model.checkpoint import Checkpoint


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
