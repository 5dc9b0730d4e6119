"""Objects of the wide world of scenes: 336 classes of shapes, alone, in groups and in crowds.

A class is a colour and a shape ("teal crescent"), or the same on a tile ("framed teal crescent"). Texture, size, turn,
outline, overlap, ground, clutter and the number of objects (1 to 24) vary and are not part of the name.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from florence2.builtin.canvas import Points, find_centers, jitter, transform
from florence2.builtin.shapes import SHAPE_OUTLINES

__all__ = ["CLASSES", "COLORS", "MAGNITUDES", "OUTLINES", "TEXTURES", "Found", "draw_crowd", "draw_objects"]

Found = tuple[Points, dict[str, str]]
"""Box (4,) at drawing size, and the facts: color, shape, texture, framed, size."""

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (215, 35, 40),
    "orange": (245, 135, 25),
    "yellow": (240, 215, 50),
    "green": (45, 160, 55),
    "teal": (20, 140, 140),
    "blue": (40, 80, 215),
    "purple": (135, 45, 175),
    "pink": (245, 150, 190),
    "brown": (125, 75, 40),
    "black": (22, 22, 24),
    "white": (245, 245, 242),
    "gray": (128, 128, 130),
}
"""Mean RGB of each colour."""

TEXTURES = ("plain", "striped", "dotted", "checked")
"""How a shape may be filled."""

MAGNITUDES = ("small", "large")
"""Below and above a fifth of the image's side."""


def _arc(start: float, stop: float, count: int, radius: float = 1.0) -> Points:
    angles = np.linspace(start, stop, count)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius


def _heart() -> Points:
    t = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    return np.stack([np.sin(t) ** 3, y], axis=1)


def _crescent() -> Points:
    outer = _arc(0.25 * np.pi, 1.75 * np.pi, 24)
    inner = _arc(1.62 * np.pi, 0.38 * np.pi, 16, 0.78) + np.array((0.45, 0.0))
    return np.concatenate([outer, inner])


OUTLINES: dict[str, Points] = {
    **SHAPE_OUTLINES,
    "rectangle": np.array([(-1, -0.5), (1, -0.5), (1, 0.5), (-1, 0.5)]),
    "oval": _arc(0, 2 * np.pi, 28) * (1.0, 0.55),
    "diamond": np.array([(0, -1), (0.68, 0), (0, 1), (-0.68, 0)]),
    "heart": _heart(),
    "hexagon": _arc(0, 2 * np.pi, 7)[:6],
    "crescent": _crescent(),
    "arrow": np.array([(-1, -0.3), (0.1, -0.3), (0.1, -0.8), (1, 0), (0.1, 0.8), (0.1, 0.3), (-1, 0.3)]),
    "cell": _arc(0, 2 * np.pi, 25)[:24],
}
"""Outline of each shape, of extent about -1..1. A ring has a hole; a cell is an uneven disc, often with a core."""

CLASSES: tuple[str, ...] = tuple(
    f"{frame}{color} {shape}" for frame in ("", "framed ") for color in COLORS for shape in OUTLINES
)
"""The class names of these scenes."""

_TILE = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)], dtype=np.float64)
_RING_HOLE = 0.52
_LARGE = 0.2
_LEAST_CONTRAST = 75.0
_FREE = tuple(shape for shape in OUTLINES if shape not in ("rectangle", "oval", "arrow"))


def draw_objects(
    rng: np.random.Generator, drawing: Image.Image, ground: Points, count: int, scale: tuple[float, float]
) -> list[Found]:
    """Draw objects that hardly overlap, some of them alike.

    Args:
        rng: source of randomness.
        drawing: what is drawn on, a square at drawing size.
        ground: mean RGB of the ground, from which an object's colour keeps away.
        count: number of objects wanted; one that finds no room is left out.
        scale: smallest and largest object side as a share of the image's.
    """
    tiles = rng.random(count) < 0.15
    half = rng.uniform(*scale, (count, 1)) * drawing.width / 2
    half = half * rng.uniform(0.8, 1.2, (count, 2)) * np.where(tiles, 1.15, 1.0)[:, None]
    overlap = 0.05 if rng.random() < 0.7 else 0.25
    centers = find_centers(rng, half, drawing.width, overlap)
    # A few colours and shapes for all: otherwise two objects of one scene would hardly ever be alike.
    colors = _contrasting(rng, ground, int(rng.integers(2, len(COLORS) + 1)))
    shapes = list(rng.permutation(list(OUTLINES))[: int(rng.integers(2, len(OUTLINES) + 1))])
    return [
        _draw_object(rng, drawing, center, size, (str(rng.choice(colors)), str(rng.choice(shapes))), tile=bool(tile))
        for center, size, tile in zip(centers, half, tiles, strict=True)
        if center is not None
    ]


def draw_crowd(rng: np.random.Generator, drawing: Image.Image, ground: Points, count: int) -> list[Found]:
    """Draw many objects of one to three kinds, each kind of about one size, which may overlap and blur.

    Args:
        rng: source of randomness.
        drawing: what is drawn on, a square at drawing size.
        ground: mean RGB of the ground.
        count: number of objects wanted; one that finds no room is left out.
    """
    kinds = int(rng.integers(1, 4))
    colors = _contrasting(rng, ground, kinds, faint=True)
    appearance = [
        (str(rng.choice(colors)), "cell" if rng.random() < 0.5 else str(rng.choice(_FREE))) for _ in range(kinds)
    ]
    share = rng.dirichlet(np.full(kinds, 0.7))
    which = rng.choice(kinds, size=count, p=share)
    typical = rng.uniform(0.07, min(0.34, 1.0 / np.sqrt(count)), kinds)
    half = typical[which][:, None] * rng.uniform(0.85, 1.15, (count, 1)) * rng.uniform(0.9, 1.1, (count, 2))
    half = half * drawing.width / 2
    centers = find_centers(rng, half, drawing.width, float(rng.uniform(0.0, 0.4)), attempts=16)
    return [
        _draw_object(rng, drawing, center, size, appearance[kind], tile=False)
        for center, size, kind in zip(centers, half, which, strict=True)
        if center is not None
    ]


def _contrasting(rng: np.random.Generator, ground: Points, count: int, *, faint: bool = False) -> list[str]:
    """Return colours that differ from the background, at least one."""
    least = _LEAST_CONTRAST * (0.6 if faint else 1.0)
    names = [name for name, rgb in COLORS.items() if np.abs(np.array(rgb) - ground).max() > least]
    return [str(name) for name in rng.permutation(names)[:count]]


def _draw_object(
    rng: np.random.Generator,
    drawing: Image.Image,
    center: Points,
    half: Points,
    appearance: tuple[str, str],
    *,
    tile: bool,
) -> Found:
    """Draw one object of a colour and a shape on a small patch, and lay the patch on the drawing."""
    color, shape = appearance
    texture = str(rng.choice(TEXTURES, p=(0.55, 0.15, 0.15, 0.15))) if shape != "cell" else "plain"
    degrees = float(rng.uniform(-180, 180) if shape in ("cell", "circle", "ring") else rng.uniform(-20, 20))
    outline = OUTLINES[shape]
    if shape == "cell":
        around = np.linspace(0, 2 * np.pi, len(outline), endpoint=False)
        waves = [rng.normal(0, 0.05) * np.cos(count * around + count) for count in (1, 2, 3)]
        outline = outline * (1.0 + np.sum(waves, axis=0))[:, None]
    inner = half * rng.uniform(0.55, 0.8) if tile else half
    extent = transform(_TILE if tile else outline, center, half, degrees)
    low = np.floor(extent.min(axis=0)).astype(int) - 2
    high = np.ceil(extent.max(axis=0)).astype(int) + 3
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    mask = Image.new("L", size)
    rgb = jitter(rng, COLORS[color], 20.0)
    paint = Image.new("RGB", size, rgb)
    if tile:
        _paint_tile(rng, paint, mask, extent - low, rgb)
    body = [tuple(point) for point in transform(outline, center - low, inner, degrees)]
    _paint_body(rng, paint, mask, body, (rgb, texture), (center - low, inner), ring=shape == "ring", tile=tile)
    pen = ImageDraw.Draw(paint)
    if shape == "cell" and rng.random() < 0.6:
        core = transform(outline, center - low, inner * rng.uniform(0.3, 0.6), degrees)
        pen.polygon([tuple(point) for point in core], fill=_shade(rng, rgb))
    elif rng.random() < 0.3 and shape != "ring":
        pen.polygon(body, outline=jitter(rng, [rng.choice([20.0, 235.0])] * 3, 15.0), width=int(rng.integers(1, 3)))
    if shape == "cell" and rng.random() < 0.5:
        mask = mask.filter(ImageFilter.BoxBlur(1.5))
    if rng.random() < 0.15:
        mask = mask.point([int(value * 0.75) for value in range(256)])
    drawing.paste(paint, (int(low[0]), int(low[1])), mask)
    box = np.concatenate([extent.min(axis=0), extent.max(axis=0)])
    side = float((box[2:] - box[:2]).max()) / drawing.width
    facts = {"color": color, "shape": shape, "texture": texture, "framed": "yes" if tile else "no"}
    return box, {**facts, "size": MAGNITUDES[int(side > _LARGE)]}


def _paint_tile(
    rng: np.random.Generator, paint: Image.Image, mask: Image.Image, extent: Points, rgb: Sequence[int]
) -> None:
    """Paint the tile below a shape, of another lightness than the shape."""
    light = float(np.mean(rgb))
    ground = jitter(rng, [rng.uniform(150, 250) if light < 128 else rng.uniform(5, 90)] * 3, 25.0)
    corners = [tuple(point) for point in extent]
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    edge = jitter(rng, [rng.uniform(0, 255)] * 3, 15.0)
    ImageDraw.Draw(paint).polygon(corners, fill=ground, outline=edge, width=int(rng.integers(1, 4)))


def _paint_body(
    rng: np.random.Generator,
    paint: Image.Image,
    mask: Image.Image,
    body: list[tuple[float, ...]],
    appearance: tuple[tuple[int, int, int], str],
    pose: tuple[Points, Points],
    *,
    ring: bool,
    tile: bool,
) -> None:
    """Fill a shape, with its pattern, and cut the hole of a ring."""
    rgb, texture = appearance
    center, half = pose
    shape = Image.new("L", paint.size)
    pen = ImageDraw.Draw(shape)
    pen.polygon(body, fill=255)
    if ring:
        hole = (np.array(body) - center) * _RING_HOLE + center
        pen.polygon([tuple(point) for point in hole], fill=0)
    fill = Image.new("RGB", paint.size, rgb)
    if texture != "plain":
        _fill_pattern(rng, fill, _shade(rng, rgb), (center, half), texture)
    paint.paste(fill, (0, 0), shape)
    if not tile:
        mask.paste(shape)


def _shade(rng: np.random.Generator, rgb: Sequence[int]) -> tuple[int, int, int]:
    """Return a clearly darker or lighter tone of a colour."""
    tone = np.array(rgb) * 0.45 if np.mean(rgb) > 90 else np.array(rgb) * 0.45 + 110
    return jitter(rng, tone, 8.0)


def _fill_pattern(
    rng: np.random.Generator,
    paint: Image.Image,
    rgb: tuple[int, int, int],
    pose: tuple[Points, Points],
    texture: str,
) -> None:
    """Draw stripes, dots or squares over the box around a centre."""
    center, half = pose
    draw = ImageDraw.Draw(paint)
    step = max(7.0, float(half.max()) * 0.45)
    low, high = center - half * 1.4, center + half * 1.4
    if texture == "striped":
        lean = float(rng.uniform(-0.5, 0.5)) * (high[1] - low[1])
        for x in np.arange(low[0] - abs(lean), high[0] + abs(lean), step):
            draw.line([(x, low[1]), (x + lean, high[1])], fill=rgb, width=max(2, int(step * 0.4)))
        return
    for row, y in enumerate(np.arange(low[1], high[1], step)):
        for column, x in enumerate(np.arange(low[0], high[0], step)):
            if texture == "dotted":
                draw.ellipse((x, y, x + step * 0.5, y + step * 0.5), fill=rgb)
            elif (row + column) % 2:
                draw.rectangle((x, y, x + step, y + step), fill=rgb)
