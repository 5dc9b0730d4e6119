"""Finding the image that an annotation names."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.datasets.formats.image_lookup import ImageLookup
from tests.builders import write_image


def lookup(root: Path, *names: str) -> ImageLookup:
    for name in names:
        write_image(root / name)
    return ImageLookup(root)


@pytest.fixture
def images(tmp_path: Path) -> ImageLookup:
    return lookup(tmp_path, "images/a.png", "images/sub/b.png", "other/b.png", "train/c.png", "images/D.PNG")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "images/a.png"),
        ("../images/a.png", "images/a.png"),
        ("sub\\b.png", "images/sub/b.png"),
        ("C:\\photos\\sub\\b.png", "images/sub/b.png"),
        ("/home/me/images/sub/b.png", "images/sub/b.png"),
        ("x/d.png", "images/D.PNG"),
        ("b.png", "images/b.png"),  # there are two
        ("../../etc/e.png", "images/../../etc/e.png"),
    ],
)
def test_names_of_other_machines(images: ImageLookup, name: str, expected: str) -> None:
    assert images.find(name, folders=["images", ""]) == expected


def test_further_names(images: ImageLookup) -> None:
    assert images.find("0a1b-a.png", "a.png", folders=["images"]) == "images/a.png"
    assert images.find("0a1b-x.png", "x.png", folders=["images"]) == "images/0a1b-x.png"


def test_a_guess_is_no_image_of_another_name_or_split(images: ImageLookup) -> None:
    assert images.find("a.png", folders=["images"]) == "images/a.png"
    assert images.find("gone/a.png", folders=["other"]) == "other/gone/a.png"
    assert images.find("c.png", folders=["valid"]) == "valid/c.png"
    assert images.find("c.png", folders=["labels"]) == "train/c.png"


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
def test_the_longest_end_that_is_unique_is_the_image(tmp_path: Path, name: str, split: str, path: str) -> None:
    assert lookup(tmp_path, *IMAGES).find_all([name], ["train"], split) == {name: path}


def test_an_image_that_two_names_could_mean_is_that_of_none(tmp_path: Path) -> None:
    found = lookup(tmp_path, "a/1.png").find_all(["x/1.png", "y/1.png"], [""], "")
    assert found == {"x/1.png": "x/1.png", "y/1.png": "y/1.png"}
    assert lookup(tmp_path, "a/1.png").find_all(["a/1.png", "y/1.png"], [""], "")["a/1.png"] == "a/1.png"
