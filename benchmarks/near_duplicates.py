"""Measure how well near-identical images are distinguished from others, and how long that takes.

    python -m benchmarks.near_duplicates [DATASET ...]

For each data set (``builtin:cards`` if none is named): the share of its images that are found again after a change,
and the images that are called near-identical as they are. Then the seconds for 200,000 generated signatures.
"""

from __future__ import annotations

import argparse
import base64
import io
import random
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance
from scipy.fft import idctn

from florence2.datasets.location import locate
from florence2.images.files import open_rgb
from florence2.images.listing import list_images
from florence2.images.near_duplicates import group_near_identical
from florence2.images.signatures import signature

__all__ = ["CHANGES", "natural_signatures", "recall"]


def _saved(image: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _scaled(image: Image.Image, factor: float) -> Image.Image:
    size = round(image.width * factor), round(image.height * factor)
    return image.resize(size, Image.Resampling.LANCZOS)


def _framed(image: Image.Image) -> Image.Image:
    edge = max(1, round(0.01 * min(image.size)))
    framed = Image.new("RGB", (image.width + 2 * edge, image.height + 2 * edge), "black")
    framed.paste(image, (edge, edge))
    return framed


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 95": lambda image: _saved(image, 95),
    "JPEG, quality 50": lambda image: _saved(image, 50),
    "half the size": lambda image: _scaled(image, 0.5),
    "twice the size": lambda image: _scaled(image, 2.0),
    "0.7 of the size, JPEG 60": lambda image: _saved(_scaled(image, 0.7), 60),
    "4 % brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.04),
    "4 % darker, JPEG 75": lambda image: _saved(ImageEnhance.Brightness(image).enhance(0.96), 75),
    "black frame of 1 %": _framed,
}


def recall(images: list[Image.Image], change: Callable[[Image.Image], Image.Image]) -> float:
    """Return the share of images that are near-identical to their changed selves."""
    pairs = [group_near_identical([signature(image), signature(change(image))]) for image in images]
    return sum(int(first == second) for first, second in pairs) / len(images)


def natural_signatures(count: int, seed: int = 0) -> list[str]:
    """Return signatures with the spectrum of photographs (amplitude falls with the frequency)."""
    rng = np.random.default_rng(seed)
    frequency = np.hypot(*np.meshgrid(np.arange(12), np.arange(12)))
    frequency[0, 0] = 1
    spectrum = rng.normal(size=(count, 12, 12)) / frequency**1.2 * rng.uniform(40, 480, (count, 1, 1))
    spectrum[:, 0, 0] = rng.normal(128, 40, count) * 12
    luma = idctn(spectrum, axes=(1, 2), norm="ortho").clip(0, 255).reshape(count, -1)
    cells = np.concatenate([luma, rng.normal(128, 10, (count, 32)).clip(0, 255)], axis=1).astype(np.uint8)
    return [base64.b64encode(row.tobytes()).decode().rstrip("=") for row in cells]


def _report_set(source: str, sample: int) -> None:
    root = locate(source)
    names = list_images(root)
    images = [open_rgb(Path(root, name)) for name in random.Random(0).sample(names, min(sample, len(names)))]
    print(f"{source}: {len(names)} images, {len(images)} of them changed")
    for title, change in CHANGES.items():
        print(f"  {title:26} found again: {recall(images, change):7.1%}")
    groups = group_near_identical([signature(open_rgb(Path(root, name))) for name in names])
    for group in np.flatnonzero(np.bincount(groups) > 1):
        print("  near-identical:", *(name for name, number in zip(names, groups, strict=True) if number == group))
    start = time.perf_counter()
    for image in images:
        signature(image)
    print(f"  {1e6 * (time.perf_counter() - start) / len(images):.0f} microseconds for a signature")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("datasets", nargs="*", default=["builtin:cards"])
    parser.add_argument("--sample", type=int, default=100, help="images of each set that are changed")
    parser.add_argument("--signatures", type=int, default=200_000)
    arguments = parser.parse_args()
    for source in arguments.datasets:
        _report_set(source, arguments.sample)
    signatures = natural_signatures(arguments.signatures)
    start = time.perf_counter()
    groups = group_near_identical(signatures)
    print(f"{len(signatures)} signatures: {time.perf_counter() - start:.1f} s, {groups.max() + 1} groups")


if __name__ == "__main__":
    main()
