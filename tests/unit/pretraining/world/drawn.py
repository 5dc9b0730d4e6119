"""Scenes of the wide world, drawn with one seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from pretraining.world.scenes import Kind, WorldScene, draw_world

__all__ = ["SIDE", "scenes"]

SIDE = 128


def scenes(kind: Kind, count: int, **options: Any) -> list[WorldScene]:
    """Return scenes of a kind that are not empty."""
    rng = np.random.default_rng(3)
    drawn = [draw_world(rng, SIDE, kind, 1 + index % 5, **options) for index in range(count)]
    return [scene for scene in drawn if scene.facts or scene.lines]
