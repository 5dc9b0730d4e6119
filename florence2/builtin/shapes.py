"""Scenes of coloured shapes, on which ``builtin:nano`` is pretrained.

A class is a colour and a shape ("red star"), or the same printed on a tile ("framed red star"). Texture, size, turn,
tile colour, outline, background and clutter vary and are not part of the name. The optional word "framed" is the first
in the name: after a class name hundreds of locations compete, and a single likely word would win over them.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from florence2.builtin.canvas import SUPERSAMPLING, Points, Scene, background, find_centers, finish, jitter, transform
from florence2.codec import Detections

__all__ = ["SHAPE_CLASSES", "SHAPE_COLORS", "SHAPE_OUTLINES", "SHAPE_TEXTURES", "draw_shapes"]


def _polygon(corners: int, first_degrees: float = -90.0, inner: float | None = None) -> Points:
    """Return a regular polygon of radius 1, or a star when an inner radius is given."""
    count = corners if inner is None else 2 * corners
    angles = np.deg2rad(first_degrees + np.arange(count) * 360.0 / count)
    radius = np.ones(count)
    if inner is not None:
        radius[1::2] = inner
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None]


def _cross(arm: float = 0.36) -> Points:
    corner = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    return np.array(corner + [(-x, -y) for x, y in corner], dtype=np.float64)


SHAPE_OUTLINES: dict[str, Points] = {
    "circle": _polygon(28),
    "square": np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float64) * 0.9,
    "triangle": np.array([(0, -1), (1, 0.85), (-1, 0.85)], dtype=np.float64),
    "star": _polygon(5, inner=0.42),
    "cross": _cross(),
    "ring": _polygon(28),
}
"""Outline of each shape, of extent about -1..1. A ring is a circle with a hole."""

SHAPE_COLORS: dict[str, tuple[int, int, int]] = {
    "red": (215, 35, 40),
    "green": (40, 165, 60),
    "blue": (40, 80, 215),
    "yellow": (240, 215, 50),
    "purple": (140, 50, 170),
    "orange": (245, 135, 25),
}
"""Mean RGB of each colour."""

SHAPE_TEXTURES = ("plain", "striped", "dotted")
"""How a shape may be filled; a texture is not part of a class name."""

SHAPE_CLASSES: tuple[str, ...] = tuple(
    f"{frame}{color} {shape}" for frame in ("", "framed ") for color in SHAPE_COLORS for shape in SHAPE_OUTLINES
)
"""The 72 class names of these scenes."""

_TILE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float64)
_RING_HOLE = 0.52


def draw_shapes(rng: np.random.Generator, side: int, count: int, scale: tuple[float, float] = (0.28, 0.5)) -> Scene:
    """Draw a scene of coloured shapes.

    Args:
        rng: source of randomness; the scene is a function of its state.
        side: width and height of the image in pixels.
        count: number of objects; an object without room is left out, the first always fits.
        scale: smallest and largest object side as a share of the image's.

    Returns:
        The scene; the facts name ``color``, ``shape``, ``texture`` and ``framed`` ("yes" or "no").
    """
    canvas = side * SUPERSAMPLING
    base = rng.uniform(40, 215) + rng.uniform(-22, 22, 3)
    drawing = background(rng, side, base, rng.uniform(2, 14))
    draw = ImageDraw.Draw(drawing)
    _clutter(rng, draw, canvas, base)
    tiles = rng.random(count) < 0.3
    half = rng.uniform(*scale, (count, 1)) * canvas / 2 * np.where(tiles, 1.3, 1.0)[:, None]
    half = half * rng.uniform(0.85, 1.15, (count, 2)) * np.where(tiles[:, None], rng.uniform(0.8, 1.2, (count, 2)), 1.0)
    found: list[tuple[Points, str, dict[str, str]]] = []
    # The layout is that of upright boxes; a turned object may overlap its neighbour a little.
    for center, size, tile in zip(find_centers(rng, half, canvas, 0.05), half, tiles, strict=True):
        if center is None:
            continue
        box, facts = _draw_object(rng, drawing, center, size, tile=bool(tile))
        name = ("framed " if tile else "") + f"{facts['color']} {facts['shape']}"
        found.append((box / SUPERSAMPLING, name, facts))
    found.sort(key=lambda item: float(item[0][0] + item[0][2]))
    boxes = np.clip(np.array([box for box, _, _ in found]), 0, side)
    detections = Detections(boxes.astype(np.float32), tuple(name for _, name, _ in found))
    return Scene(finish(rng, drawing, rng.uniform(0, 8)), detections, tuple(facts for _, _, facts in found))


def _draw_object(
    rng: np.random.Generator, drawing: Image.Image, center: Points, half: Points, *, tile: bool
) -> tuple[Points, dict[str, str]]:
    """Draw one object and return its box (4,) at drawing size and its facts."""
    color = str(rng.choice(list(SHAPE_COLORS)))
    shape = str(rng.choice(list(SHAPE_OUTLINES)))
    texture = str(rng.choice(SHAPE_TEXTURES, p=(0.6, 0.2, 0.2)))
    degrees = float(rng.uniform(-18, 18))
    draw = ImageDraw.Draw(drawing)
    extent = transform(_TILE if tile else SHAPE_OUTLINES[shape], center, half, degrees)
    if tile:
        ground = jitter(rng, [rng.uniform(25, 190)] * 3, 25.0)
        edge = jitter(rng, [rng.uniform(0, 255)] * 3, 15.0)
        draw.polygon([tuple(point) for point in extent], fill=ground, outline=edge, width=int(rng.integers(1, 4)))
        half = half * rng.uniform(0.5, 0.8)
    _draw_shape(rng, drawing, (shape, color, texture), (center, half, degrees), on_tile=tile)
    box = np.concatenate([extent.min(axis=0), extent.max(axis=0)])
    return box, {"color": color, "shape": shape, "texture": texture, "framed": "yes" if tile else "no"}


def _draw_shape(
    rng: np.random.Generator,
    drawing: Image.Image,
    appearance: tuple[str, str, str],
    pose: tuple[Points, Points, float],
    *,
    on_tile: bool,
) -> None:
    """Fill a shape of the given appearance (shape, colour, texture) at a pose (centre, half size, degrees)."""
    shape, color, texture = appearance
    center, half, degrees = pose
    draw = ImageDraw.Draw(drawing)
    outline = [tuple(point) for point in transform(SHAPE_OUTLINES[shape], center, half, degrees)]
    rgb = jitter(rng, SHAPE_COLORS[color], 22.0)
    if shape != "ring" and texture == "plain":
        draw.polygon(outline, fill=rgb)
    else:
        mask = Image.new("L", drawing.size)
        pen = ImageDraw.Draw(mask)
        pen.polygon(outline, fill=255)
        if shape == "ring":
            hole = transform(SHAPE_OUTLINES["circle"] * _RING_HOLE, center, half, degrees)
            pen.polygon([tuple(point) for point in hole], fill=0)
        paint = Image.new("RGB", drawing.size, rgb)
        if texture != "plain":
            other = np.array(rgb) * 0.45 if sum(rgb) > 300 or on_tile else np.array(rgb) * 0.4 + 130
            _fill_pattern(rng, paint, jitter(rng, other, 5.0), center, half, dotted=texture == "dotted")
        drawing.paste(paint, (0, 0), mask)
    if rng.random() < 0.3 and shape != "ring":
        edge = jitter(rng, [rng.choice([20.0, 235.0])] * 3, 15.0)
        draw.polygon(outline, outline=edge, width=int(rng.integers(1, 3)))


def _fill_pattern(
    rng: np.random.Generator,
    paint: Image.Image,
    rgb: tuple[int, int, int],
    center: Points,
    half: Points,
    *,
    dotted: bool,
) -> None:
    """Draw stripes or dots over the box around a centre."""
    draw = ImageDraw.Draw(paint)
    step = max(6.0, float(half.max()) * 0.42)
    low, high = center - half * 1.4, center + half * 1.4
    if dotted:
        radius = step * 0.27
        for y in np.arange(low[1], high[1], step):
            for x in np.arange(low[0], high[0], step):
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=rgb)
        return
    lean = float(rng.uniform(-0.5, 0.5)) * (high[1] - low[1])
    for x in np.arange(low[0] - abs(lean), high[0] + abs(lean), step):
        draw.line([(x, low[1]), (x + lean, high[1])], fill=rgb, width=max(2, int(step * 0.4)))


def _clutter(rng: np.random.Generator, draw: ImageDraw.ImageDraw, canvas: int, base_rgb: Points) -> None:
    """Scatter thin lines and small greyish specks that are not objects."""
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0, canvas, 2)
        shade = jitter(rng, base_rgb + rng.uniform(-60, 60), 12.0)
        if rng.random() < 0.5:
            end_x, end_y = rng.uniform(0, canvas, 2)
            draw.line([(x, y), (end_x, end_y)], fill=shade, width=int(rng.integers(1, 4)))
        else:
            radius = rng.uniform(0.01, 0.04) * canvas
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
