"""The content of data.yaml, and paths of another machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.datasets.formats.yolo_yaml import find_yolo_yaml, locate_below, read_yolo_yaml
from florence2.errors import DatasetError


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("", "train/images", "train/images"),
        ("", "../train/images", "train/images"),
        ("", "/home/me/set/train/images", "train/images"),
        ("", "C:\\data\\set\\train\\images", "train/images"),
        ("train", "images", "train/images"),
        ("", ".", ""),
        ("", "../../elsewhere", None),
        ("", "x" * 5000, None),
    ],
)
def test_paths_are_found_on_this_machine(tmp_path: Path, base: str, path: str, expected: str | None) -> None:
    (tmp_path / "set/train/images").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    assert locate_below(tmp_path / "set", base, path) == expected


def test_classes_and_splits_are_read_as_texts(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "data.yaml").write_text("names: [no, 1e3, null]\nnc: 3\ntrain: train\nval: nowhere\ntest: ~\n")
    content = read_yolo_yaml(tmp_path, "data.yaml")
    assert content.names == ("no", "1e3", "null")
    assert (content.sources, content.missing) == ((("train", "train"),), (("val", "nowhere"),))


def test_the_file_that_names_classes_is_found(tmp_path: Path) -> None:
    assert find_yolo_yaml(tmp_path) is None
    (tmp_path / "other.yaml").write_text("path: x\n")
    (tmp_path / "a.yml").write_text("names:\n  0: cat\n")
    assert find_yolo_yaml(tmp_path) == "a.yml"
    (tmp_path / "b.yaml").write_text("names: [dog]\n")
    with pytest.raises(DatasetError, match=r"a.yml and b.yaml both name classes; leave one of them, called data.yaml"):
        find_yolo_yaml(tmp_path)
    (tmp_path / "data.yaml").write_text("names: [dog]\n")
    assert find_yolo_yaml(tmp_path) == "data.yaml"
