"""What all generated scenes are drawn with: backgrounds, outlines of shapes, a layout without much overlap.

Everything is drawn at twice the final size and halved at the end, which smooths the edges: Pillow draws
polygons without antialiasing. All randomness comes from the ``numpy.random.Generator`` that is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from florence2.codec import Detections

__all__ = ["SUPERSAMPLING", "Points", "Scene", "background", "find_centers", "finish", "jitter", "transform"]

SUPERSAMPLING = 2
"""How many times larger than the result a scene is drawn."""

Points = NDArray[np.float64]
"""Vertices (n, 2) as x, y."""


@dataclass(frozen=True)
class Scene:
    """A drawn image and what is in it.

    Attributes:
        image: RGB image.
        detections: the objects' boxes in pixels and class names, from left to right by box centre.
        facts: per object, in the same order, its attributes by name, for example ``{"color": "red"}``.
    """

    image: Image.Image
    detections: Detections
    facts: tuple[Mapping[str, str], ...]


def background(rng: np.random.Generator, side: int, base_rgb: Sequence[float] | Points, spread: float) -> Image.Image:
    """Paint a background of smooth blotches, sometimes with bands or a grid, at drawing size.

    Args:
        rng: source of randomness.
        side: width and height of the finished image in pixels.
        base_rgb: mean colour, 0..255.
        spread: standard deviation of the blotches, 0..255.
    """
    cells = int(rng.integers(2, 9))
    coarse = np.asarray(base_rgb) + rng.normal(0.0, spread, (cells, cells, 3))
    ground = Image.fromarray(np.clip(coarse, 0, 255).astype(np.uint8))
    ground = ground.resize((side * SUPERSAMPLING,) * 2, Image.Resampling.BICUBIC)
    pattern = rng.random()
    if pattern < 0.4:
        _rule(rng, ground, base_rgb, both_ways=pattern < 0.15)
    return ground


def _rule(
    rng: np.random.Generator, ground: Image.Image, base_rgb: Sequence[float] | Points, *, both_ways: bool
) -> None:
    """Draw evenly spaced lines a little lighter or darker than the background."""
    draw = ImageDraw.Draw(ground)
    side = ground.width
    step = int(rng.integers(side // 12, side // 4))
    width = int(rng.integers(1, max(2, step // 2)))
    shade = jitter(rng, np.asarray(base_rgb) + rng.choice([-25.0, 25.0]), 8.0)
    upright = rng.random() < 0.5
    for offset in range(int(rng.integers(0, step)), side, step):
        if upright or both_ways:
            draw.line([(offset, 0), (offset, side)], fill=shade, width=width)
        if not upright or both_ways:
            draw.line([(0, offset), (side, offset)], fill=shade, width=width)


def finish(rng: np.random.Generator, drawing: Image.Image, noise: float) -> Image.Image:
    """Halve a drawing to its final size, vary its brightness, and add grain.

    Args:
        rng: source of randomness.
        drawing: image at drawing size.
        noise: standard deviation of the grain, 0..255.
    """
    pixels = np.asarray(drawing.reduce(SUPERSAMPLING), dtype=np.float32)
    pixels = pixels * np.float32(rng.uniform(0.85, 1.1))
    if noise:
        pixels = pixels + rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(noise)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def jitter(rng: np.random.Generator, rgb: Sequence[float] | NDArray[np.float64], spread: float) -> tuple[int, int, int]:
    """Return a colour near ``rgb``, each channel within ``spread`` of it and within 0..255."""
    red, green, blue = np.clip(np.asarray(rgb) + rng.uniform(-spread, spread, 3), 0, 255)
    return int(red), int(green), int(blue)


def transform(outline: Points, center: Points, size: Points, degrees: float) -> Points:
    """Scale, turn and move an outline.

    Args:
        outline: vertices (n, 2) around the origin, of extent -1..1.
        center: where the origin goes, x and y.
        size: half width and half height before the turn.
        degrees: angle of the turn, clockwise on the screen.
    """
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    moved: Points = (outline * size) @ turn + center
    return moved


def find_centers(
    rng: np.random.Generator, half_sizes: Points, side: int, max_overlap: float, attempts: int = 30
) -> list[Points | None]:
    """Find a centre for each box so that boxes hardly overlap and stay inside the image.

    Args:
        rng: source of randomness.
        half_sizes: half widths and heights (n, 2) of the boxes.
        side: width and height of the image, in the same unit.
        max_overlap: largest allowed intersection as a share of the smaller box.
        attempts: random centres that are tried for each box.

    Returns:
        The centre of each box, or None where no room was found.
    """
    found: list[int] = []
    centers = np.zeros_like(half_sizes)
    for index, half in enumerate(half_sizes):
        low, high = half + 1.0, np.maximum(side - half - 1.0, half + 1.0)
        candidates = rng.uniform(low, high, (attempts, 2))
        overlaps = _overlaps(candidates, half, centers[found], half_sizes[found])
        free = np.flatnonzero((overlaps <= max_overlap).all(axis=1))
        if len(free):
            centers[index] = candidates[free[0]]
            found.append(index)
    return [centers[index] if index in found else None for index in range(len(half_sizes))]


def _overlaps(candidates: Points, half: Points, centers: Points, halves: Points) -> Points:
    """Return (candidates, boxes) intersections of a moved box with others, as shares of the smaller one."""
    nearest = np.minimum((candidates + half)[:, None], centers + halves)
    farthest = np.maximum((candidates - half)[:, None], centers - halves)
    shared = np.prod(np.maximum(nearest - farthest, 0.0), axis=2)
    smaller: Points = 4.0 * np.minimum(np.prod(half), np.prod(halves, axis=1))
    shares: Points = shared / smaller
    return shares
