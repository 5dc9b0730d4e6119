"""Scenes of playing cards on a table: a small four-colour deck with large symbols, readable on small images.

The suit is a symbol and a frame in its own colour, the rank is a letter in the corners and the colour of the panel
behind the symbol. No card, suit symbol or letter occurs in the scenes that the built-in bases are pretrained on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from florence2.builtin.canvas import SUPERSAMPLING, Points, Scene, background, find_centers, finish, jitter, transform
from florence2.codec import Detections

__all__ = ["CARD_CLASSES", "CARD_RANKS", "CARD_SUITS", "draw_cards"]


def _circle(x: float, y: float, radius: float) -> Points:
    angles = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def _heart() -> Points:
    t = np.linspace(0, 2 * np.pi, 36, endpoint=False)
    x = np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    return np.stack([x, y], axis=1)


_STEM = np.array([(0.0, 0.1), (0.35, 1.0), (-0.35, 1.0)])

CARD_SUITS: dict[str, tuple[tuple[int, int, int], tuple[Points, ...]]] = {
    "hearts": ((215, 25, 40), (_heart(),)),
    "diamonds": ((35, 75, 215), (np.array([(0.0, -1.0), (0.8, 0.0), (0.0, 1.0), (-0.8, 0.0)]),)),
    "clubs": ((20, 140, 60), (_circle(0, -0.52, 0.46), _circle(-0.52, 0.15, 0.46), _circle(0.52, 0.15, 0.46), _STEM)),
    "spades": ((20, 20, 25), (_heart() * (0.95, -0.85) - (0.0, 0.12), _STEM)),
}
"""RGB colour of each suit and the outlines of its symbol, of extent about -1..1."""

CARD_RANKS: dict[str, tuple[tuple[int, int, int], tuple[Sequence[tuple[float, float]], ...]]] = {
    "king": ((250, 195, 60), (((-0.6, -1), (-0.6, 1)), ((0.6, -1), (-0.6, 0.1), (0.6, 1)))),
    "queen": ((250, 165, 205), (((0, -1), (-0.8, 0), (0, 1), (0.8, 0), (0, -1)), ((0.2, 0.4), (0.8, 1)))),
    "jack": ((130, 220, 235), (((0.4, -1), (0.4, 0.7), (0, 1), (-0.6, 0.6)),)),
    "ace": ((252, 251, 246), (((-0.7, 1), (0, -1), (0.7, 1)), ((-0.4, 0.3), (0.4, 0.3)))),
}
"""RGB colour of the panel of each rank and the strokes of its letter, of extent -1..1."""

CARD_CLASSES: tuple[str, ...] = tuple(f"{rank} of {suit}" for suit in CARD_SUITS for rank in CARD_RANKS)
"""The 16 class names of these scenes."""

_TABLES = ((35, 95, 60), (120, 82, 52), (45, 65, 105), (110, 35, 45), (105, 108, 112), (170, 140, 105))
_CARD = np.array([(-0.9, -1), (0.9, -1), (1, -0.93), (1, 0.93), (0.9, 1), (-0.9, 1), (-1, 0.93), (-1, -0.93)])
_PANEL = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float64)
_PANEL_SHARE = np.array([0.82, 0.74])
_SYMBOL_SHARE = 0.68
_CORNERS = np.array([(-0.74, -0.82), (0.74, 0.82)])


def draw_cards(rng: np.random.Generator, side: int, names: Sequence[str]) -> Scene:
    """Draw cards on a table.

    Args:
        rng: source of randomness; the scene is a function of its state.
        side: width and height of the image in pixels.
        names: class names of the cards; a card without room is left out, the first always fits.

    Returns:
        The scene; the facts name ``rank`` and ``suit``.
    """
    canvas = side * SUPERSAMPLING
    table = _TABLES[int(rng.integers(len(_TABLES)))]
    drawing = background(rng, side, jitter(rng, table, 15.0), rng.uniform(3, 10))
    half, centers = _lay_out(rng, len(names), canvas)
    found: list[tuple[Points, str]] = []
    for center, size, name in zip(centers, half, names, strict=True):
        if center is not None:
            found.append((_draw_card(rng, drawing, name, (center, size, float(rng.uniform(-14, 14)))), name))
    found.sort(key=lambda item: float(item[0][0] + item[0][2]))
    boxes = np.clip(np.array([box for box, _ in found]) / SUPERSAMPLING, 0, side)
    detections = Detections(boxes.astype(np.float32), tuple(name for _, name in found))
    facts = tuple(dict(zip(("rank", "suit"), name.split(" of "), strict=True)) for _, name in found)
    return Scene(finish(rng, drawing, noise=0.0), detections, facts)


def _lay_out(rng: np.random.Generator, count: int, canvas: int) -> tuple[Points, list[Points | None]]:
    """Return half sizes (count, 2) and centres of cards, after a few attempts to find room for all."""
    for _ in range(12):
        half: Points = rng.uniform(0.135, 0.19, (count, 1)) * canvas * np.array([1.0, 1.4])
        centers = find_centers(rng, half, canvas, 0.03)
        if all(center is not None for center in centers):
            break
    return half, centers


def _draw_card(rng: np.random.Generator, drawing: Image.Image, name: str, pose: tuple[Points, Points, float]) -> Points:
    """Draw a card at a pose (centre, half size, degrees) and return its box (4,) at drawing size."""
    center, half, degrees = pose
    rank, suit = name.split(" of ")
    panel_rgb, strokes = CARD_RANKS[rank]
    suit_rgb, symbol = CARD_SUITS[suit]
    ink = jitter(rng, suit_rgb, 12.0)
    draw = ImageDraw.Draw(drawing)
    extent = transform(_CARD, center, half, degrees)
    shadow = extent + rng.uniform(1, 4, 2)
    draw.polygon(_vertices(shadow), fill=(25, 25, 28))
    draw.polygon(_vertices(extent), fill=jitter(rng, (247, 246, 240), 6.0), outline=(90, 90, 92), width=2)
    panel = transform(_PANEL * _PANEL_SHARE, center, half, degrees)
    draw.polygon(_vertices(panel), fill=jitter(rng, panel_rgb, 8.0), outline=ink, width=max(2, int(half[0] * 0.15)))
    for outline in symbol:
        draw.polygon(_vertices(transform(outline * _SYMBOL_SHARE, center, half[[0, 0]], degrees)), fill=ink)
    corners = transform(_CORNERS, center, half, degrees)
    for corner, turn in zip(corners, (degrees, degrees + 180.0), strict=True):
        for stroke in strokes:
            line = transform(np.array(stroke), corner, half[0] * np.array([0.15, 0.2]), turn)
            draw.line(_vertices(line), fill=ink, width=2, joint="curve")
    return np.concatenate([extent.min(axis=0), extent.max(axis=0)])


def _vertices(points: Points) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in points]
