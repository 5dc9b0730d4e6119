"""Scenes of shapes: objects are named from left to right."""

from __future__ import annotations

import numpy as np

from florence2.builtin.shapes import SHAPE_CLASSES, draw_shapes


def test_scenes_name_their_objects_from_left_to_right() -> None:
    rng = np.random.default_rng(4)
    for _ in range(30):
        scene = draw_shapes(rng, 64, 3)
        centers = scene.detections.xyxy[:, 0] + scene.detections.xyxy[:, 2]
        assert (np.diff(centers) >= 0).all()
        assert set(scene.detections.class_name) <= set(SHAPE_CLASSES)
        assert len(scene.facts) == len(scene.detections)
