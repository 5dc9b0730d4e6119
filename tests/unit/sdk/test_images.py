"""Images of every form become samples; what is not an image is an error that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import florence2
from florence2 import Model
from florence2.errors import DatasetError
from tests.builders import write_scenes


@pytest.fixture(scope="module")
def nano() -> Model:
    return florence2.load("builtin:nano", device="cpu")


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("scenes"))


@pytest.fixture(scope="module")
def files(scenes: Path) -> list[Path]:
    return [scenes / "test" / f"{number}.png" for number in range(3)]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("none.png", r"none\.png: "),
        (np.zeros((4, 4, 3), dtype=np.float32), r"array of float32 \(4, 4, 3\) is not an image; give uint8 \(height"),
        (np.zeros((2, 4, 4, 3), dtype=np.uint8), r"one image or a list of them"),
        (b"bytes", "bytes is not an image; give a path, a Pillow image or an array of uint8"),
    ],
)
def test_what_is_no_image_is_named(nano: Model, image: Any, message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        nano.predict([image])


def test_a_torn_image_that_pillow_has_opened_is_named(nano: Model, files: list[Path], tmp_path: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes(files[0].read_bytes()[:-40])
    with Image.open(torn) as image, pytest.raises(DatasetError, match=r"torn\.png: cannot be decoded"):
        nano.predict(image)
