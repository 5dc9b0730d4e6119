"""Images made small and normalised by us are what the processor of the model gives."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from florence2.config import ModelConfig
from florence2.errors import DatasetError, ModelError
from florence2.images.files import open_rgb
from florence2.model.base import load_base
from florence2.model.florence import Florence2
from florence2.model.pixels import PixelTransform


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def transform(nano: Florence2) -> PixelTransform:
    return PixelTransform.of(nano.processor)


def noise(width: int, height: int, channels: int = 3) -> Image.Image:
    values = np.random.default_rng(width).integers(0, 256, (height, width, channels), dtype=np.uint8)
    return Image.fromarray(values[..., 0] if channels == 1 else values)


def smooth(width: int, height: int) -> Image.Image:
    """Return what a photograph is more like than noise: edges and slopes."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    disc = ((x - 0.4) ** 2 + (y - 0.6) ** 2 < 0.05) * 120
    return Image.fromarray(np.stack([x * 255, y * 200, disc + 60], axis=2).astype(np.uint8))


def by_processor(nano: Florence2, image: Image.Image) -> torch.Tensor:
    pixels: torch.Tensor = nano.processor(images=[image], text="<OD>", return_tensors="pt")["pixel_values"]
    return pixels


def by_us(transform: PixelTransform, image: Image.Image) -> torch.Tensor:
    return transform.normalise(torch.from_numpy(np.stack([transform.shrink(image)])))


@pytest.mark.parametrize(
    ("name", "image", "orientation"),
    [
        ("small.png", noise(1, 1), 1),
        ("exact.png", noise(64, 64), 1),
        ("odd.png", noise(37, 91), 1),
        ("wide.png", noise(301, 5), 1),
        ("grey.png", noise(40, 77, 1), 1),
        ("transparent.png", noise(33, 50, 4), 1),
        ("turned.jpg", smooth(90, 61), 6),
    ],
)
def test_pixels_are_those_of_the_processor(
    nano: Florence2, transform: PixelTransform, tmp_path: Path, name: str, image: Image.Image, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image.save(tmp_path / name, exif=exif)
    opened = transform.open(tmp_path / name)
    ours = by_us(transform, opened)
    assert opened.size == (image.size if orientation == 1 else image.size[::-1])
    assert (ours.shape, ours.dtype) == ((1, 3, 64, 64), torch.float32)
    torch.testing.assert_close(ours, by_processor(nano, open_rgb(tmp_path / name)), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("size", "decoded", "most"), [((1200, 900), (300, 225), 2), ((1201, 903), (301, 226), 20)])
def test_a_large_jpeg_is_decoded_smaller_and_differs_by_little(
    transform: PixelTransform, tmp_path: Path, size: tuple[int, int], decoded: tuple[int, int], most: int
) -> None:
    """Measured, largest and mean difference of 255: 1 and 0.11; where the size is not a multiple of the reduction, and
    a part of a pixel too much is decoded, 14 (at an edge) and 0.23. Decoded at half of that, 26 and 0.47, 28 and 0.57.
    """
    file = tmp_path / "large.jpg"
    smooth(*size).save(file, quality=90)
    opened = transform.open(file)
    assert opened.size == decoded
    differences = np.abs(transform.shrink(opened).astype(int) - transform.shrink(open_rgb(file)).astype(int))
    assert differences.max() <= most
    assert differences.mean() < 0.35


def test_an_image_is_never_decoded_smaller_than_twice_the_model(transform: PixelTransform, tmp_path: Path) -> None:
    for side in (127, 128, 255, 256, 300, 511, 512, 700):
        smooth(side, 2 * side).save(tmp_path / "a.jpg")
        assert min(transform.open(tmp_path / "a.jpg").size) >= min(side, 128)


def test_several_images_are_normalised_as_each_alone(transform: PixelTransform) -> None:
    pixels = torch.from_numpy(np.stack([transform.shrink(noise(64, 64)), transform.shrink(noise(65, 64))]))
    alone = torch.cat([transform.normalise(pixels[:1]), transform.normalise(pixels[1:])])
    assert torch.equal(transform.normalise(pixels), alone)
    assert alone.is_contiguous()


def test_a_processor_that_crops_is_refused(nano: Florence2) -> None:
    processor: Any = copy.deepcopy(nano.processor)
    processor.image_processor.do_center_crop = True
    with pytest.raises(ModelError, match=r"must resize, rescale, normalise"):
        PixelTransform.of(processor)


def test_a_file_that_is_no_image_is_named(transform: PixelTransform, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no image")
    with pytest.raises(DatasetError, match=r"a\.png: unreadable"):
        transform.open(tmp_path / "a.png")


def test_transforms_are_equal_only_if_all_settings_are(transform: PixelTransform) -> None:
    """The features of a frozen tower are kept under its text."""
    others = [
        replace(transform, size_wh=(32, 64)),
        replace(transform, resample=2),
        replace(transform, scale=1.0),
        replace(transform, mean=(0.5, 0.5, 0.5)),
        replace(transform, std=(0.5, 0.5, 0.5)),
    ]
    assert len({str(one) for one in (transform, *others)}) == 6
