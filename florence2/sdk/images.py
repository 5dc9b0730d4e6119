"""Turns files, Pillow's images and arrays into the samples that the model takes."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from florence2.codec import TaskTable
from florence2.config import core_count
from florence2.errors import DatasetError
from florence2.images import probe_image, to_rgb
from florence2.model import Sample

__all__ = ["ImageInput", "as_list", "samples_of"]

ImageInput: TypeAlias = str | os.PathLike[str] | Image.Image | NDArray[np.uint8]
"""An image: the path of a file, one that Pillow has opened, or an array of uint8: (height, width, 3) in RGB,
(height, width) in grey, or (height, width, 4) with transparency."""

_CHANNELS = (1, 3, 4)


def as_list(images: ImageInput | Sequence[ImageInput]) -> tuple[list[ImageInput], bool]:
    """Return images as a list, and whether one image was given rather than a sequence."""
    given: Any = images  # a text is a sequence too
    if isinstance(given, str | os.PathLike | Image.Image | np.ndarray):
        return [given], True
    return list(given), False


def samples_of(images: Sequence[ImageInput], prefix: str, tasks: TaskTable) -> list[Sample]:
    """Return images with a prompt as samples for ``florence2.inference.predict``.

    Raises:
        DatasetError: one cannot be decoded, or an array has another shape or type.
    """
    with ThreadPoolExecutor(core_count()) as pool:  # Pillow decodes outside Python's lock
        return list(pool.map(lambda image: _sample_of(image, prefix, tasks), images))


def _sample_of(image: ImageInput, prefix: str, tasks: TaskTable) -> Sample:
    if isinstance(image, str | os.PathLike):
        probe = probe_image(Path(image))
        if probe.error is not None or not probe.width or not probe.height:
            raise DatasetError(f"{os.fspath(image)}: {probe.error}; give an image that viewers can show")
        return Sample(Path(image), prefix, "", (probe.width, probe.height), tasks)
    opened = _opened(image)
    stream = io.BytesIO()
    opened.save(stream, "BMP")  # the pixels as they are, without compression
    return Sample(stream, prefix, "", opened.size, tasks)


def _opened(image: Image.Image | NDArray[np.uint8]) -> Image.Image:
    if isinstance(image, Image.Image):
        try:
            return to_rgb(ImageOps.exif_transpose(image))
        except OSError as exc:  # Pillow decodes when the pixels are first read
            raise DatasetError(f"{getattr(image, 'filename', '') or 'image'}: cannot be decoded: {exc}") from exc
    given: Any = image
    if not isinstance(given, np.ndarray):
        raise DatasetError(f"{type(given).__name__} is not an image; give a path, a Pillow image or an array of uint8")
    fits = given.ndim == 2 or (given.ndim == 3 and given.shape[2] in _CHANNELS)
    if given.dtype != np.uint8 or not fits or not given.size:
        raise DatasetError(
            f"array of {given.dtype} {given.shape} is not an image; give uint8 (height, width, 3) in RGB, "
            "one image or a list of them"
        )
    if given.ndim == 3 and given.shape[2] == 1:
        given = given[:, :, 0]
    return to_rgb(Image.fromarray(np.ascontiguousarray(given)))
