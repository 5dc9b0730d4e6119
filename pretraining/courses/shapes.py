"""The course of ``builtin:nano``: one to five coloured shapes: their names, locations, and questions about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from florence2.builtin.canvas import Scene
from florence2.builtin.shapes import SHAPE_COLORS, SHAPE_OUTLINES, SHAPE_TEXTURES, draw_shapes
from pretraining.course import Mark, Pair
from pretraining.courses import shape_questions

__all__ = ["ShapesCourse"]


class ShapesCourse:
    """One or two large objects first, up to five and small ones later."""

    attributes: Mapping[str, tuple[str, ...]] = {
        "color": tuple(SHAPE_COLORS),
        "shape": tuple(SHAPE_OUTLINES),
        "texture": SHAPE_TEXTURES,
        "framed": ("no", "yes"),
    }
    reach = 0.0

    def scenes(self, rng: np.random.Generator, side: int, count: int, progress: float) -> list[Scene]:
        """Draw scenes."""
        smallest = 0.42 - 0.14 * min(1.0, progress / 0.3)
        scenes = []
        for _ in range(count):
            if progress < 0.1:
                objects = int(rng.integers(1, 3))
            elif progress < 0.3 or rng.random() < 0.85:
                objects = int(rng.integers(1, 4))
            else:
                objects = int(rng.integers(4, 6))
            scenes.append(draw_shapes(rng, side, objects, (smallest, 0.5)))
        return scenes

    def long(self, rng: np.random.Generator, scene: Scene) -> Pair:
        """Ask for boxes."""
        return shape_questions.grounding(rng, scene) if rng.random() < 0.12 else shape_questions.detection(scene)

    def short(self, rng: np.random.Generator, scene: Scene) -> Pair:
        """Ask for a few words."""
        draw = rng.random()
        if draw < 0.8:
            return shape_questions.question(rng, scene)
        return shape_questions.region_category(rng, scene) if draw < 0.92 else shape_questions.caption(scene)

    def marks(self, scene: Scene) -> list[Mark]:
        """Return the objects."""
        boxes = scene.detections.xyxy / scene.image.width
        return [Mark(box, fact) for box, fact in zip(boxes, scene.facts, strict=True)]

    def vary(self, pixels: Tensor, seeds: Sequence[int]) -> Tensor:  # noqa: ARG002
        """Return the images as they are: light and grain were drawn."""
        return pixels
