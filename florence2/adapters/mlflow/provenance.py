"""The origin of a registered version as its tags: data, base, code, settings and scores."""

from __future__ import annotations

import hashlib
import json
from importlib import metadata
from pathlib import Path

from florence2.config import Configuration
from florence2.datasets import DatasetManifest
from florence2.evaluation import EvaluationReport
from florence2.model import Checkpoint

__all__ = [
    "PACKAGE",
    "TRAINING_IMAGES",
    "code_version",
    "configuration_text",
    "library_files",
    "provenance_tags",
    "split_hash",
    "training_images_text",
]

PACKAGE = Path(__file__).parents[2]
"""Folder of the library."""

TRAINING_IMAGES = "training_images"
"""Tag with the hash of ``training_images.json``, a file of each version."""

_CODE = {".py", ".pyi", ".html", ".md"}
"""Suffixes of modules and templates; the other files in the folder of the library are built-in bases."""


def provenance_tags(
    checkpoint: Checkpoint,
    report: EvaluationReport,
    training_data: DatasetManifest,
    test_data: DatasetManifest,
    configuration: Configuration,
) -> dict[str, str]:
    """Return the tags of a version; scores with the ends of their intervals as ``NAME_low`` and ``NAME_high``.

    ``baseline_NAME`` is the score of the best answers without seeing the image.
    """
    tags = {
        "data_fingerprint": training_data.fingerprint,
        "test_fingerprint": test_data.fingerprint,
        "split_hash": split_hash(training_data, test_data),
        "base": checkpoint.base,
        "base_revision": checkpoint.base_revision or "",
        "base_fingerprint": checkpoint.base_fingerprint,
        "strategy": checkpoint.strategy,
        "checkpoint_fingerprint": checkpoint.compute_fingerprint(),
        "code_version": code_version(),
        "configuration": _sha256(configuration_text(configuration)),
        TRAINING_IMAGES: _sha256(training_images_text(training_data)),
    }
    lock = PACKAGE.parent / "requirements.lock"
    if lock.is_file():
        tags["lock"] = hashlib.sha256(lock.read_bytes()).hexdigest()
    tags |= {name: f"{value:.6g}" for name, value in report.after.metrics.items()}
    baseline = report.after.baseline.metrics if report.after.baseline else {}
    tags |= {f"baseline_{name}": f"{value:.6g}" for name, value in baseline.items()}
    for name, interval in report.after.intervals.items():
        tags |= {f"{name}_low": f"{interval.low:.6g}", f"{name}_high": f"{interval.high:.6g}"}
    return {name: value for name, value in tags.items() if value}


def library_files() -> tuple[Path, ...]:
    """Return the path of each module and template of the library, sorted; without the weights of the built-in bases."""
    return tuple(sorted(file for file in PACKAGE.rglob("*") if file.suffix in _CODE))


def code_version() -> str:
    """Return the package's version and, behind a plus, the start of a hash of the library's files."""
    digest = hashlib.sha256()
    for file in library_files():
        digest.update(file.relative_to(PACKAGE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return f"{metadata.version('florence2-finetune')}+{digest.hexdigest()[:12]}"


def configuration_text(configuration: Configuration) -> str:
    """Return all settings as JSON, without those of the data set, which is identified by its content."""
    return json.dumps(configuration.model_dump(mode="json", exclude={"dataset"}), indent=2, sort_keys=True) + "\n"


def split_hash(*manifests: DatasetManifest) -> str:
    """Return a hash of which image file is in which split; names and annotations do not change it."""
    pairs = {
        f"{split} {image}"
        for manifest in manifests
        for split, image in zip(manifest.table["split"], manifest.table["sha256"], strict=True)
    }
    return _sha256("\n".join(sorted(pairs)))


def training_images_text(training_data: DatasetManifest) -> str:
    """Return the sha256 of each image file of a manifest, sorted, as a JSON list."""
    return json.dumps(sorted({str(value) for value in training_data.table["sha256"] if value}), indent=0) + "\n"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
