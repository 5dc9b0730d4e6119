"""Which image and which label file of a YOLO set belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.datasets.formats.yolo_files import label_file, pairs_below
from florence2.errors import DatasetError


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("train/images/a.jpg", "train/labels/a.txt"),
        ("images/train/a.b.jpg", "labels/train/a.b.txt"),
        ("images/images/a.jpg", "images/labels/a.txt"),
        ("train/a.jpg", "train/a.txt"),
        ("images.jpg", "images.txt"),
    ],
)
def test_labels_replace_the_last_folder_images(image: str, expected: str) -> None:
    assert label_file(image) == expected


def test_images_come_before_label_files_without_an_image(tmp_path: Path) -> None:
    labels = tmp_path / "train/labels"
    (labels / "deep").mkdir(parents=True)
    (tmp_path / "train/images").mkdir()
    for name in ("a.txt", "deep/b.txt", "classes.txt", ".hidden.txt", "notes.md"):
        (labels / name).touch()
    images = ["train/images/a.png", "train/images/c.png", "valid/images/d.png"]
    assert pairs_below(tmp_path, "train/images", images) == [
        ("train/images/a.png", "train/labels/a.txt"),
        ("train/images/c.png", "train/labels/c.txt"),
        ("train/images/deep/b.jpg", "train/labels/deep/b.txt"),
    ]


def test_a_link_to_a_folder_below_is_refused(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "images/more").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DatasetError, match=r"images/more: is a symbolic link to a folder; no link below images"):
        pairs_below(tmp_path, "images", [])
