"""Scenes of the wide world: objects, crowds, signs and documents on varied grounds.

What no class name depends on (light, grain, blur) is left to ``vary``, which works on whole batches, on any device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor
from torch.nn import functional

from florence2.builtin.canvas import SUPERSAMPLING, Points, Scene, background, jitter
from florence2.codec.detections import Detections
from pretraining.world.objects import Found, draw_crowd, draw_objects
from pretraining.world.texts import Line, draw_document, draw_words

__all__ = ["Kind", "WorldScene", "draw_world", "vary"]

Kind = Literal["objects", "crowd", "words", "document"]


@dataclass(frozen=True)
class WorldScene(Scene):
    """A scene whose ``detections`` are its objects, with the text in it.

    Attributes:
        lines: of text, from top to bottom, with boxes in pixels of the image.
        kind: what it is of.
    """

    lines: tuple[Line, ...] = ()
    kind: Kind = "objects"


def draw_world(
    rng: np.random.Generator, side: int, kind: Kind, count: int, scale: tuple[float, float] = (0.1, 0.5)
) -> WorldScene:
    """Draw a scene.

    Args:
        rng: source of randomness; the scene is a function of its state.
        side: width and height of the image in pixels.
        kind: what it is of.
        count: number of objects or lines wanted; what finds no room is left out.
        scale: smallest and largest side of an object, or size of letters, as a share of the image's side.

    Raises:
        ValueError: there is no such kind.
    """
    base = rng.uniform(15, 240) + rng.uniform(-30, 30, 3)
    drawing = background(rng, side, base, rng.uniform(1, 16))
    if kind != "document":
        _clutter(rng, drawing, base)
    found: list[Found] = []
    lines: list[Line] = []
    if kind == "objects":
        found = draw_objects(rng, drawing, base, count, scale)
    elif kind == "crowd":
        found = draw_crowd(rng, drawing, base, count)
    elif kind == "words":
        lines = draw_words(rng, drawing, base, count, scale)
    elif kind == "document":
        lines = draw_document(rng, drawing, base, count)
    else:
        raise ValueError(f"no scenes of the kind {kind!r}; there are: {', '.join(get_args(Kind))}")
    found.sort(key=lambda item: float(item[0][0] + item[0][2]))
    boxes = np.clip(np.array([box for box, _ in found]).reshape(-1, 4) / SUPERSAMPLING, 0, side)
    names = tuple(_name(facts) for _, facts in found)
    return WorldScene(
        drawing.reduce(SUPERSAMPLING),
        Detections(boxes.astype(np.float32), names),
        tuple(facts for _, facts in found),
        tuple(_in_image(line, side) for line in lines),
        kind,
    )


def vary(pixels: Tensor, seeds: Sequence[int]) -> Tensor:
    """Vary light, contrast, tint, sharpness and grain of images, which changes no answer.

    Args:
        pixels: (n, 3, side, side) as 0..1.
        seeds: of the random numbers, together.

    Returns:
        The same shape, within 0..1.
    """
    generator = torch.Generator(pixels.device).manual_seed(hash(tuple(seeds)) % 2**31)
    count, side = len(pixels), pixels.shape[-1]

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=pixels.device) * (high - low) + low

    blurred = functional.avg_pool2d(pixels, 3, stride=1, padding=1, count_include_pad=False)
    soft = uniform(-0.6, 0.9, count, 1, 1, 1).clamp(min=0)
    pixels = pixels + soft * (blurred - pixels)
    across = torch.linspace(-1, 1, side, device=pixels.device)
    slope = uniform(-0.18, 0.18, count, 2, 1, 1)
    light = 1 + slope[:, :1] * across[None, :, None] + slope[:, 1:] * across[None, None, :]
    gain = uniform(0.75, 1.15, count, 1, 1, 1) * uniform(0.93, 1.07, count, 3, 1, 1)
    pixels = pixels * gain * light + uniform(-0.06, 0.06, count, 1, 1, 1)
    grain = torch.randn(pixels.shape, generator=generator, device=pixels.device)
    return (pixels + grain * uniform(0.0, 0.04, count, 1, 1, 1)).clamp(0, 1)


def _name(facts: dict[str, str]) -> str:
    return ("framed " if facts["framed"] == "yes" else "") + f"{facts['color']} {facts['shape']}"


def _in_image(line: Line, side: int) -> Line:
    """Return a line in pixels of the finished image."""
    characters = tuple((character, middle / SUPERSAMPLING) for character, middle in line.characters)
    return Line(line.text, np.clip(line.box / SUPERSAMPLING, 0, side), characters, line.field, line.value)


def _clutter(rng: np.random.Generator, drawing: Image.Image, base: Points) -> None:
    """Scatter lines and specks that are no objects."""
    draw = ImageDraw.Draw(drawing)
    canvas = drawing.width
    for _ in range(int(rng.integers(0, 6))):
        x, y = rng.uniform(0, canvas, 2)
        shade = jitter(rng, base + rng.uniform(-40, 40), 10.0)
        if rng.random() < 0.5:
            end_x, end_y = rng.uniform(0, canvas, 2)
            draw.line([(x, y), (end_x, end_y)], fill=shade, width=int(rng.integers(1, 4)))
        else:
            radius = rng.uniform(0.005, 0.025) * canvas
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=shade)
