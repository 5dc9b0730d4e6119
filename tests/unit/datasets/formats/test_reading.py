"""The frame of a reader."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from florence2.codec import format_spans, unclamped_bins
from florence2.datasets.formats import read_dataset
from florence2.datasets.formats.annotations import Annotation
from florence2.datasets.formats.reading import files_in_splits, read_files, single_file, starts_like
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from tests import ROOT
from tests.builders import write_image


def test_folders_and_names_give_the_split(tmp_path: Path) -> None:
    for file in ("val/a.json", "train/test.JSON", "test_labels.json", "b.json", "other/c.json", "d.txt"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    assert files_in_splits(tmp_path, ".json") == [
        ("train", "train/test.JSON"),
        ("valid", "val/a.json"),
        ("test", "test_labels.json"),
        ("", "b.json"),
    ]


def test_the_beginning_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"head " + b"x" * 70_000 + b"tail")
    assert starts_like(tmp_path, "a", re.compile(b"head"), re.compile(b"x"))
    assert not starts_like(tmp_path, "a", re.compile(b"head"), re.compile(b"tail"))
    assert not starts_like(tmp_path, "gone", re.compile(b""))
    os.mkfifo(tmp_path / "pipe")
    assert not starts_like(tmp_path, "pipe", re.compile(b""))


def test_samples_are_in_the_order_of_the_splits(tmp_path: Path) -> None:
    def read(split: str, file: str) -> list[Annotation]:
        return [Annotation(each, "", file, 1, "<OD>", "", error="x") for each in ("", "train")]

    manifest = read_files(tmp_path, [("test", "a"), ("", "b")], read, expected="a file")
    assert manifest.table["split"].tolist() == ["train", "train", "", ""]
    assert manifest.splits == ("train", "test")


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([], "no annotations found; it must hold a.json; it holds nothing"),
        ([("", "a.json"), ("", "b.json")], "no sample in a.json and 1 more; export or copy"),
        ([("", "a\n.json")], "the name of a file holds a line break"),
    ],
)
def test_nothing_to_read(tmp_path: Path, sources: list[tuple[str, str]], message: str) -> None:
    with pytest.raises(DatasetError, match=re.escape(message)):
        read_files(tmp_path, sources, lambda split, file: [], expected="a.json")


@pytest.mark.parametrize(
    ("file", "image", "expected"),
    [
        ("set/a.json", "set/images/a.png", ("set", ("", "a.json"))),
        ("set/train/a.json", "set/train/a.png", ("set/train", ("train", "a.json"))),
        ("set/labels/test.json", "set/images/a.png", ("set", ("test", "labels/test.json"))),
    ],
)
def test_a_file_alone(tmp_path: Path, file: str, image: str, expected: tuple[str, tuple[str, str]]) -> None:
    found = []

    def read(root: Path, sources: Sequence[tuple[str, str]], *, verify: bool = False) -> DatasetManifest:
        found.append((root.relative_to(tmp_path).as_posix(), *sources))
        return read_files(root, sources, lambda split, file: [Annotation(split, "", file, 1, error="x")], expected="")

    write_image(tmp_path / image)
    (tmp_path / file).parent.mkdir(exist_ok=True, parents=True)
    (tmp_path / file).touch()
    single = single_file(lambda folder, name: name.endswith(".json"), read)
    assert single.find_root(tmp_path / image) is None
    root = single.find_root(tmp_path / file)
    assert root is not None
    single.read(root, (tmp_path / file).relative_to(root).as_posix())
    assert found == [expected]


TOOLS = json.loads((ROOT / "tests/oracles/label_tools.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("tool", TOOLS["files"])
def test_files_written_by_the_tools_have_the_boxes_to_the_bin(tmp_path: Path, tool: str) -> None:
    for name, size in TOOLS["sizes_wh"].items():
        write_image(tmp_path / name, tuple(size))
    for name, content in TOOLS["files"][tool].items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    found = read_dataset(tmp_path)
    assert found.table[["line_error", "image_error"]].isna().all(axis=None)
    expected = {
        name: format_spans((text, unclamped_bins(np.array(box), size * 2).tolist()) for text, *box in boxes)
        for (name, boxes), size in zip(TOOLS["boxes"].items(), TOOLS["sizes_wh"].values(), strict=True)
    }
    assert dict(found.table[["image", "suffix"]].to_numpy()) == expected
