"""The split that the names of files and folders stand for."""

from __future__ import annotations

import pytest

from florence2.datasets.formats.split_names import split_of_folders, split_of_name


@pytest.mark.parametrize(
    ("file", "split"),
    [
        ("instances_train2017.json", "train"),
        ("annotations/instances_val.json", "valid"),
        ("test/labels.json", "test"),
        ("images/train2017/x.json", "train"),
        ("driving-test/x.json", ""),
        ("result.json", ""),
        ("instances_trainval2017.json", ""),
    ],
)
def test_the_split_of_a_file(file: str, split: str) -> None:
    assert split_of_name(file) == split


@pytest.mark.parametrize(
    ("path", "split"), [("", ""), ("train/deep", "train"), ("train-val", ""), ("test_set", "test")]
)
def test_the_split_of_folders(path: str, split: str) -> None:
    assert split_of_folders(path) == split
