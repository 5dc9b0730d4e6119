"""Images as the image processor of a model makes them, in two steps: bytes of its size to keep, then its input."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from florence2.errors import ModelError
from florence2.images import open_rgb

if TYPE_CHECKING:
    from transformers import Florence2Processor

__all__ = ["DECODED_PER_PIXEL", "PixelTransform"]

DECODED_PER_PIXEL = 2
"""A JPEG is decoded at a reduced size, of at least so many times the model's; at less, answers would change."""


@dataclass(frozen=True)
class PixelTransform:
    """The operations of an image processor: scale to one size, then normalise each channel.

    Attributes:
        size_wh: width and height of the model's input in pixels.
        resample: Pillow's number of the filter.
        scale: factor of the bytes.
        mean: of each channel, after scaling.
        std: of each channel, after scaling.
    """

    size_wh: tuple[int, int]
    resample: int
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, processor: Florence2Processor) -> PixelTransform:
        """Read the settings of a model's processor.

        Raises:
            ModelError: it has other operations, such as cropping.
        """
        ours: Any = processor.image_processor
        if ours.do_center_crop or not (ours.do_resize and ours.do_rescale and ours.do_normalize):
            raise ModelError("the image processor of the base is not Florence-2's: it must resize, rescale, normalise")
        size = (int(ours.size["width"]), int(ours.size["height"]))
        mean, std = tuple(map(float, ours.image_mean)), tuple(map(float, ours.image_std))
        return cls(size, int(ours.resample), float(ours.rescale_factor), mean, std)  # type: ignore[arg-type]

    def open(self, source: Path | BinaryIO) -> Image.Image:
        """Open an image as RGB, where its format allows it no larger than ``shrink`` needs.

        Raises:
            DatasetError: it cannot be decoded.
        """
        return open_rgb(source, least_side=DECODED_PER_PIXEL * max(self.size_wh))

    def shrink(self, image: Image.Image) -> NDArray[np.uint8]:
        """Return an RGB image at the model's size: uint8 (height, width, 3)."""
        if image.size != self.size_wh:
            image = image.resize(self.size_wh, Image.Resampling(self.resample))
        return np.asarray(image)

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the model's input.

        Args:
            pixels: uint8 (n, height, width, 3), on the device of the result.

        Returns:
            float32 (n, 3, height, width).
        """
        mean, std = (torch.tensor(v, device=pixels.device).view(1, 3, 1, 1) for v in (self.mean, self.std))
        # Contiguous, as the processor's output: otherwise the convolution would differ in the last bits.
        return (pixels.permute(0, 3, 1, 2).contiguous().float() * self.scale - mean) / std
