"""Random changes of training images that keep the answer correct; boxes move with their image.

An object that was cut, a mirrored text or a mirrored "left" would teach a wrong answer. So a crop never cuts a box,
images are cropped and mirrored only where the answer is boxes, and mirrored only where no word means left or right.
"""

from __future__ import annotations

import re

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from florence2.codec import BINS, AnswerKind, Task, dequantize, format_spans, quantize
from florence2.config import AugmentationConfig
from florence2.training.box_order import single_boxes

__all__ = ["augment"]

_SIDES = re.compile(r"left|(?<!b)right|clockwise", re.IGNORECASE)
"""Also within a name: "turn_left", "ArrowRight". An image that is needlessly not mirrored does no harm."""


def augment(
    image: Image.Image,
    task: Task,
    prefix: str,
    suffix: str,
    config: AugmentationConfig,
    random: np.random.Generator,
) -> tuple[Image.Image, str]:
    """Change an image at random, and the boxes of its answer with it.

    Args:
        image: an RGB image.
        task: of the prompt.
        prefix: the prompt.
        suffix: the annotated answer.
        config: the changes and their strength.
        random: source of randomness.

    Returns:
        The new image and its correct answer.
    """
    # Every number is drawn, used or not, so that one setting does not change the random numbers of another.
    mirrored, crops, light = random.random() < config.flip, random.random(4), random.uniform(-1, 1, 2)
    image = _lighten(image, 1 + config.light * light)
    if task.answer is AnswerKind.BOXES:
        image, suffix = _crop(image, suffix, crops * config.crop / 2)
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


def _crop(image: Image.Image, suffix: str, shares: np.ndarray) -> tuple[Image.Image, str]:
    """Crop shares of the left, top, right and bottom side, but never a part of a box."""
    boxes = single_boxes(suffix)
    size = np.array(image.size)
    xyxy = dequantize([bins for _, bins in boxes], image.size) if boxes else np.zeros((0, 4), np.float32)
    low, high = shares[:2] * size, size - shares[2:] * size
    if boxes:
        # A box may end up to half a bin beyond the centre of its bin.
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
