"""Which image a ``file_name`` of another machine means, and when it is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.datasets.formats.coco_images import find_root, image_folders
from tests.builders import write_image


def test_folders_of_images_around_the_file(tmp_path: Path) -> None:
    for folder in ("annotations", "train2017", "images/train2017"):
        (tmp_path / folder).mkdir(parents=True)
    found = image_folders(tmp_path, "annotations/instances_train2017.json")
    assert found == ["annotations", "train2017", "images/train2017", "images", ""]
    assert image_folders(tmp_path, "train2017/_annotations.coco.json") == ["train2017"]


@pytest.mark.parametrize(
    ("file", "image", "name", "root"),
    [
        ("a.json", "a.png", "a.png", ""),
        ("set/annotations/x.json", "set/images/a.png", "a.png", "set"),
        ("set/annotations/x.json", "set/images/a.png", "D:\\y\\a.png", "set"),
        ("set/x.json", "set/images/a.png", "nowhere.png", "set"),
        ("set/ann/x.json", "set/photos/one/a.png", "D:\\one\\a.png", "set"),
    ],
)
def test_the_root_of_one_file_is_the_nearest_folder_with_its_images(
    tmp_path: Path, file: str, image: str, name: str, root: str
) -> None:
    write_image(tmp_path / image)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text(json.dumps({"images": [{"id": 1, "file_name": name}]}))
    assert find_root(tmp_path / file) == tmp_path / root
