"""The built-in data set has the same bytes every time, is valid and mixed, and has classes that no base has seen."""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.builtin import datasets as builtin
from florence2.builtin.cards import CARD_CLASSES
from florence2.builtin.datasets import BUILTIN_DATASETS, materialize
from florence2.builtin.shapes import SHAPE_CLASSES
from florence2.codec.tasks import TASKS
from florence2.errors import DatasetError
from tests.builders import read_boxes

Lines = dict[str, list[dict[str, str]]]


@pytest.fixture(scope="module")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return materialize("builtin:cards", tmp_path_factory.mktemp("builtin"))


@pytest.fixture(scope="module")
def lines(cards: Path) -> Lines:
    return {
        split: [json.loads(line) for line in (cards / split / "annotations.jsonl").read_text().splitlines()]
        for split in ("train", "valid", "test")
    }


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()


def test_same_bytes_every_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtin, "_IMAGES", {"train": 20, "valid": 5, "test": 5})
    first, again = (materialize("builtin:cards", tmp_path / name) for name in ("a", "b"))
    assert _digest(first) == _digest(again)
    assert [entry.name for entry in (tmp_path / "a").iterdir()] == ["cards"], "no temporary folder is left"


def test_a_finished_folder_is_kept(cards: Path) -> None:
    before = (cards / "train" / "annotations.jsonl").stat().st_mtime_ns
    assert materialize("builtin:cards", cards.parent) == cards
    assert (cards / "train" / "annotations.jsonl").stat().st_mtime_ns == before


def test_a_failure_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path) -> None:
        folder.mkdir()
        (folder / "half.png").touch()
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setitem(BUILTIN_DATASETS, "builtin:cards", fail)
    with pytest.raises(DatasetError, match=r"cards: cannot be written \(disk full\); free space"):
        materialize("builtin:cards", tmp_path)
    assert not list(tmp_path.iterdir())


def test_unknown_name_lists_the_known(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="builtin:cards"):
        materialize("builtin:dice", tmp_path)


def test_every_line_is_valid(cards: Path, lines: Lines) -> None:
    for split, entries in lines.items():
        for entry in entries:
            with Image.open(cards / split / entry["image"]) as image:
                assert image.mode == "RGB"
                size = image.size
            task, _ = TASKS.split_prefix(entry["prefix"])
            assert entry["suffix"]
            if task.token == "<OD>":
                boxes = read_boxes(entry["suffix"], size)
                assert 1 <= len(boxes) <= 3
                assert set(boxes.class_name) <= set(CARD_CLASSES)


def test_sizes_and_mixture(lines: Lines) -> None:
    images = {split: {entry["image"] for entry in entries} for split, entries in lines.items()}
    assert {split: len(names) for split, names in images.items()} == {"train": 400, "valid": 60, "test": 120}
    for split, entries in lines.items():
        assert sum(entry["prefix"] == "<OD>" for entry in entries) == len(images[split])
        assert sum(entry["prefix"].startswith("<VQA>") for entry in entries) == len(images[split])


def test_classes_are_balanced_and_unseen_in_pretraining(lines: Lines) -> None:
    assert len(CARD_CLASSES) == 16
    assert not set(CARD_CLASSES) & set(SHAPE_CLASSES)
    known = {word for name in SHAPE_CLASSES for word in name.split()}
    assert not {word for name in CARD_CLASSES for word in name.split()} & known
    for split, least in (("train", 40), ("test", 8)):
        names = Counter(
            name
            for entry in lines[split]
            if entry["prefix"] == "<OD>"
            for name in re.split(r"(?:<loc_\d+>)+", entry["suffix"])[:-1]
        )
        assert len(names) == 16
        assert min(names.values()) >= least


def test_guessing_without_the_image_fails(lines: Lines) -> None:
    """The most frequent training answer of each question text: a model that sees the image has to be better."""
    questions = {split: [e for e in entries if e["prefix"] != "<OD>"] for split, entries in lines.items()}
    answers: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for entry in questions["train"]:
        answers[entry["prefix"]][entry["suffix"]] += 1
    overall = Counter(entry["suffix"] for entry in questions["train"]).most_common(1)[0][0]
    per_question = [
        (answers[entry["prefix"]].most_common(1) or [(overall, 0)])[0][0] == entry["suffix"]
        for entry in questions["test"]
    ]
    assert np.mean(per_question) < 0.45
    assert np.mean([entry["suffix"] == overall for entry in questions["test"]]) < 0.35
