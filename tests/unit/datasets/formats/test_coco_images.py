"""Which image a ``file_name`` of another machine means, and when it is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.datasets.formats.coco_images import CocoImages, find_root, image_folders
from tests.builders import write_image

IMAGES = ["train/a/1.png", "train/b/1.png", "train/b/2.PNG", "valid/a/1.png", "valid/3.png"]


@pytest.mark.parametrize(
    ("name", "split", "path"),
    [
        ("a/1.png", "train", "train/a/1.png"),
        ("C:\\x\\b\\1.png", "train", "train/b/1.png"),
        ("/home/x/train/a/1.png", "", "train/a/1.png"),
        ("2.png", "train", "train/b/2.PNG"),
        ("1.png", "train", "train/1.png"),  # two have the name
        ("x/1.png", "valid", "valid/a/1.png"),
        ("3.png", "train", "train/3.png"),  # it is one of the validation split
        ("4.png", "", "train/4.png"),
        ("..", "", "train/.."),
    ],
)
def test_the_longest_end_that_is_unique_is_the_image(name: str, split: str, path: str) -> None:
    assert CocoImages(IMAGES).find_all([name], ["train"], split) == {name: path}


def test_an_image_that_two_names_could_mean_is_that_of_none() -> None:
    found = CocoImages(["a/1.png"]).find_all(["x/1.png", "y/1.png"], [""], "")
    assert found == {"x/1.png": "x/1.png", "y/1.png": "y/1.png"}
    assert CocoImages(["a/1.png"]).find_all(["a/1.png", "y/1.png"], [""], "")["a/1.png"] == "a/1.png"


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
