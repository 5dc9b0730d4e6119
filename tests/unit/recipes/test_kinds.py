"""The kind of data of a training split."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.config import Configuration
from florence2.datasets import DatasetManifest, ingest
from florence2.recipes.kinds import flat_share, kind_of
from tests.builders import annotation, write_dataset


def photograph(file: Path, seed: int = 0) -> None:
    """Write an image whose neighbours differ, as noise makes them."""
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file)


def manifest(folder: Path, *prefixes: str) -> DatasetManifest:
    lines = [
        {"image": "a.png", "prefix": prefix, "suffix": annotation()["suffix"] if prefix == "<OD>" else f"word {n}"}
        for n, prefix in enumerate(prefixes)
    ]
    return ingest(Configuration(dataset=write_dataset(folder, {"train": lines})).dataset).select("train")


@pytest.mark.parametrize(
    ("prefixes", "kind"),
    [
        (["<VQA>what is it?"], "questions"),
        (["<DocVQA>what is the total?"], "documents"),
        (["<OCR>"], "documents"),
        (["<CAPTION>"], "captions"),
        (["<MORE_DETAILED_CAPTION>"], "captions"),
        (["<OD>"], "drawings"),
        (["<OD>", "<VQA>what?", "<VQA>where?"], "questions"),
        (["<VQA>what?", "<OD>"], "drawings"),
    ],
)
def test_the_most_frequent_task_decides(tmp_path: Path, prefixes: list[str], kind: str) -> None:
    assert kind_of(manifest(tmp_path / "data", *prefixes)) == kind


def test_images_whose_neighbours_differ_are_photographs(tmp_path: Path) -> None:
    data = manifest(tmp_path / "data", "<OD>")
    photograph(tmp_path / "data" / "train" / "a.png")
    assert kind_of(data) == "photographs"


def test_the_share_of_equal_neighbours(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), "red").save(tmp_path / "flat.png")
    photograph(tmp_path / "noise.png")
    Image.new("RGB", (1, 5)).save(tmp_path / "narrow.png")
    assert flat_share([tmp_path / "flat.png"]) == 1.0
    assert flat_share([tmp_path / "noise.png"]) < 0.01
    assert flat_share([tmp_path / "narrow.png"]) == 0.0
    half = Image.open(tmp_path / "noise.png")
    half.paste("red", (0, 0, 64, 32))
    half.save(tmp_path / "half.png")
    assert flat_share([tmp_path / "half.png"]) == pytest.approx(0.5, abs=0.01)
