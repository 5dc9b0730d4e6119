"""Random changes of training images that never change the right answer; boxes move with their image.

What is left of an object beside a cut edge, a mirrored text, a mirrored "left": each would teach a wrong answer. So a
cut leaves every box whole, and images are cut and mirrored only for answers that are boxes, mirrored only where no
word says left or right.
"""

from __future__ import annotations

import re

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from florence2.codec import BINS, AnswerKind, dequantize, format_spans, quantize, split_prefix
from florence2.config import AugmentationConfig
from florence2.training.box_order import single_boxes

__all__ = ["augment"]

_SIDES = re.compile(r"left|(?<!b)right|clockwise", re.IGNORECASE)
"""Also within a name: "turn_left", "ArrowRight"; an image too many that is not mirrored costs nothing."""


def augment(
    image: Image.Image, prefix: str, suffix: str, config: AugmentationConfig, random: np.random.Generator
) -> tuple[Image.Image, str]:
    """Change an image at random and its answer with it.

    Args:
        image: an RGB image.
        prefix: the prompt.
        suffix: the right answer.
        config: what may change, and how much.
        random: draws the changes.

    Returns:
        The new image and the right answer to it.
    """
    # All is drawn whether it is used or not, so that one setting does not change what another one draws.
    mirrored, cuts, light = random.random() < config.flip, random.random(4), random.uniform(-1, 1, 2)
    image = _lighten(image, 1 + config.light * light)
    if split_prefix(prefix)[0].answer is AnswerKind.BOXES:
        image, suffix = _cut(image, suffix, cuts * config.crop / 2)
        if mirrored and not _SIDES.search(prefix + suffix):
            image, suffix = _mirror(image, suffix)
    return image, suffix


def _lighten(image: Image.Image, factors: np.ndarray) -> Image.Image:
    brightness, contrast = map(float, factors)
    for enhance, factor in ((ImageEnhance.Brightness, brightness), (ImageEnhance.Contrast, contrast)):
        if factor != 1:
            image = enhance(image).enhance(factor)
    return image


def _mirror(image: Image.Image, suffix: str) -> tuple[Image.Image, str]:
    last = BINS - 1
    boxes = [(name, (last - b[2], b[1], last - b[0], b[3])) for name, b in single_boxes(suffix)]
    return ImageOps.mirror(image), format_spans(boxes)


def _cut(image: Image.Image, suffix: str, shares: np.ndarray) -> tuple[Image.Image, str]:
    """Cut shares off the left, top, right and bottom side, but never into a box."""
    boxes = single_boxes(suffix)
    size = np.array(image.size)
    xyxy = dequantize([bins for _, bins in boxes], image.size) if boxes else np.zeros((0, 4), np.float32)
    low, high = shares[:2] * size, size - shares[2:] * size
    if boxes:
        # Half a bin more than the middle of the bin, where a box may end in truth.
        margin = size / BINS / 2
        low = np.minimum(low, xyxy[:, :2].min(axis=0) - margin)
        high = np.maximum(high, xyxy[:, 2:].max(axis=0) + margin)
    left, top = (int(value) for value in np.floor(np.maximum(low, 0)))
    right, bottom = (int(value) for value in np.ceil(np.minimum(high, size)))
    if (left, top, right, bottom) == (0, 0, *image.size):
        return image, suffix
    image = image.crop((left, top, right, bottom))
    if boxes:
        moved = quantize(xyxy - np.array([left, top, left, top], np.float32), image.size).tolist()
        suffix = format_spans([(name, bins) for (name, _), bins in zip(boxes, moved, strict=True)])
    return image, suffix
