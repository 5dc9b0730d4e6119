"""Images are decoded in order, some of them in advance."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from florence2.errors import DatasetError
from florence2.inference.image_loader import decoded_ahead


class Transform:
    """Opens a file as its number; counts what was opened."""

    def __init__(self) -> None:
        self.opened: list[int] = []

    def open(self, source: Path) -> int:
        if source.name == "broken":
            raise DatasetError(f"{source}: unreadable")
        self.opened.append(int(source.name))
        return int(source.name)

    def shrink(self, image: int) -> NDArray[np.uint8]:
        return np.full((2, 2, 3), image, dtype=np.uint8)


def paths(*names: object) -> list[Path]:
    return [Path(str(name)) for name in names]


def test_images_come_in_the_order_of_their_sources() -> None:
    transform: Any = Transform()
    images = decoded_ahead(paths(*range(20)), transform, ahead=4)
    assert [int(image[0, 0, 0]) for image in images] == list(range(20))


def test_no_more_images_are_decoded_than_may_wait() -> None:
    transform: Any = Transform()
    with closing(decoded_ahead(paths(*range(20)), transform, ahead=3)) as images:
        next(images)
    assert len(transform.opened) <= 3


def test_an_error_is_raised_at_the_position_of_its_image() -> None:
    transform: Any = Transform()
    images = decoded_ahead(paths(0, 1, "broken", 3), transform, ahead=4)
    assert [int(next(images)[0, 0, 0]) for _ in range(2)] == [0, 1]
    with pytest.raises(DatasetError, match="broken: unreadable"):
        next(images)
