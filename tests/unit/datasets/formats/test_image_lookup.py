"""Finding the image that an annotation names."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.datasets.formats.image_lookup import ImageLookup
from tests.builders import write_image


@pytest.fixture
def images(tmp_path: Path) -> ImageLookup:
    for name in ("images/a.png", "images/sub/b.png", "other/b.png", "train/c.png", "images/D.PNG"):
        write_image(tmp_path / name)
    return ImageLookup(tmp_path)


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
