"""What scenes are drawn with: the same seed gives the same scene, and boxes hardly overlap."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np

from florence2.builtin.canvas import Scene, find_centers, transform
from florence2.builtin.cards import CARD_CLASSES, draw_cards
from florence2.builtin.shapes import draw_shapes
from florence2.codec.answers import format_detections


def test_boxes_at_their_centers_stay_inside_and_hardly_overlap() -> None:
    half_sizes = np.full((12, 2), 14.0)
    centers = find_centers(np.random.default_rng(3), half_sizes, 100, 0.1)
    found = np.array([center for center in centers if center is not None])
    assert 1 < len(found) < 12, "twelve boxes of 28 pixels have no room in 100"
    assert ((found >= 15) & (found <= 85)).all()
    for first, second in combinations(found, 2):
        assert np.prod(np.clip(28 - np.abs(first - second), 0, None)) <= 0.1 * 28**2


def test_an_outline_is_scaled_turned_and_moved() -> None:
    turned = transform(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([10.0, 20.0]), np.array([2.0, 3.0]), 90)
    np.testing.assert_allclose(turned, [[10, 22], [7, 20]], atol=1e-12)


def test_scenes_follow_their_seed() -> None:
    draws: list[Callable[[np.random.Generator], Scene]] = [
        lambda rng: draw_shapes(rng, 64, 3),
        lambda rng: draw_cards(rng, 64, CARD_CLASSES[:2]),
    ]
    for draw in draws:
        first, same, other = (draw(np.random.default_rng(seed)) for seed in (1, 1, 2))
        assert first.image.tobytes() == same.image.tobytes()
        assert format_detections(first.detections, (64, 64)) == format_detections(same.detections, (64, 64))
        assert first.image.tobytes() != other.image.tobytes()
