"""What the trainer needs of a course, and the images of scenes as it takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from florence2.builtin.canvas import Points, Scene

__all__ = ["Course", "Mark", "Pair", "as_pixels"]

Pair = tuple[str, str]
"""A prefix and its suffix."""


@dataclass(frozen=True)
class Mark:
    """Something that the dense head must see.

    Attributes:
        box: (4,) x_min, y_min, x_max, y_max as shares of the image's sides.
        attributes: values by name; an attribute without a value is not trained.
        boxed: whether it has a box to train; a character of a word has none.
    """

    box: Points
    attributes: Mapping[str, str]
    boxed: bool = True


class Course(Protocol):
    """Scenes and questions. Everything drawn is a function of the generator's state."""

    @property
    def attributes(self) -> Mapping[str, tuple[str, ...]]:
        """Return what the dense head names, and the values."""

    @property
    def reach(self) -> float:
        """Return which part of an object's sides, around its centre, is trained to name it at visual tokens."""

    def scenes(self, rng: np.random.Generator, side: int, count: int, progress: float) -> Sequence[Scene]:
        """Draw scenes.

        Args:
            rng: source of randomness.
            side: width and height in pixels.
            count: how many.
            progress: how far the course has come, 0..1; what is easy comes first.
        """

    def long(self, rng: np.random.Generator, scene: Scene) -> Pair:
        """Ask for boxes or whole sentences."""

    def short(self, rng: np.random.Generator, scene: Scene) -> Pair:
        """Ask for a few words."""

    def marks(self, scene: Scene) -> list[Mark]:
        """Return what the dense head must see."""

    def vary(self, pixels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Change in images (n, 3, side, side) of 0..1 what changes no answer."""


def as_pixels(scenes: Sequence[Scene]) -> Tensor:
    """Return the images of scenes as uint8 (n, 3, side, side)."""
    return torch.from_numpy(np.stack([np.asarray(scene.image) for scene in scenes])).permute(0, 3, 1, 2).contiguous()
