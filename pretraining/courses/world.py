"""The course of ``builtin:small``: objects, crowds, signs and documents, in all task families but outlines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from florence2.builtin.canvas import Scene
from pretraining.course import Mark, Pair
from pretraining.world.objects import COLORS, MAGNITUDES, OUTLINES, TEXTURES
from pretraining.world.questions import long_pair, short_pair
from pretraining.world.scenes import Kind, WorldScene, draw_world, vary
from pretraining.world.texts import CHARACTERS

__all__ = ["WorldCourse"]

_KINDS: tuple[Kind, ...] = ("objects", "crowd", "words", "document")
_CHARACTER_SIDE = 0.02


class WorldCourse:
    """One or two large objects and single large words first; then more, smaller, crowds, and documents."""

    attributes: Mapping[str, tuple[str, ...]] = {
        "color": tuple(COLORS),
        "shape": tuple(OUTLINES),
        "texture": TEXTURES,
        "framed": ("no", "yes"),
        "size": MAGNITUDES,
        "written": ("no", "yes"),
        "character": tuple(CHARACTERS),
    }
    reach = 0.35

    def scenes(self, rng: np.random.Generator, side: int, count: int, progress: float) -> list[WorldScene]:
        """Draw scenes."""
        scenes: list[WorldScene] = []
        while len(scenes) < count:
            scene = self._scene(rng, side, progress)
            # Words may be too long for their size, objects too large for the room: what is empty teaches nothing.
            if scene.lines or scene.facts:
                scenes.append(scene)
        return scenes

    def _scene(self, rng: np.random.Generator, side: int, progress: float) -> WorldScene:
        if progress < 0.06:
            shares = (0.85, 0.0, 0.15, 0.0)
            most, smallest, letters, lines = 2, 0.22, 0.2, 1
        elif progress < 0.2:
            shares = (0.7, 0.05, 0.2, 0.05)
            most, smallest, letters, lines = 4, 0.15, 0.13, 2
        else:
            shares = (0.48, 0.18, 0.2, 0.14)
            most, smallest, letters, lines = 8, 0.1, 0.09, 4
        kind = _KINDS[int(rng.choice(4, p=shares))]
        if kind == "objects":
            wanted = int(rng.integers(1, most + 1))
            if progress >= 0.2 and rng.random() < 0.12:
                wanted = int(rng.integers(9, 21))
            return draw_world(rng, side, kind, wanted, (smallest, max(smallest, min(0.5, 1.2 / np.sqrt(wanted)))))
        if kind == "crowd":
            return draw_world(rng, side, kind, int(rng.integers(4, 25)))
        return draw_world(rng, side, kind, int(rng.integers(1, lines + 1)), (letters, max(0.2, letters)))

    def long(self, rng: np.random.Generator, scene: Scene) -> Pair:
        """Ask for boxes or whole sentences."""
        assert isinstance(scene, WorldScene)
        return long_pair(rng, scene)

    def short(self, rng: np.random.Generator, scene: Scene) -> Pair:
        """Ask for a few words."""
        assert isinstance(scene, WorldScene)
        return short_pair(rng, scene)

    def marks(self, scene: Scene) -> list[Mark]:
        """Return objects, lines, and the characters of lines."""
        assert isinstance(scene, WorldScene)
        side = scene.image.width
        marks = [
            Mark(box / side, {**fact, "written": "no"})
            for box, fact in zip(scene.detections.xyxy, scene.facts, strict=True)
        ]
        for line in scene.lines:
            marks.append(Mark(line.box / side, {"written": "yes"}))
            for character, middle in line.characters:
                around = np.concatenate([middle, middle]) / side + np.array([-1, -1, 1, 1]) * _CHARACTER_SIDE / 2
                marks.append(Mark(around, {"character": character}, boxed=False))
        return marks

    def vary(self, pixels: Tensor, seeds: Sequence[int]) -> Tensor:
        """Vary light, contrast, sharpness and grain."""
        return vary(pixels, seeds)
