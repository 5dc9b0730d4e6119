"""Image files: what they are, without keeping their pixels, and how they become upright RGB pictures.

Probing reads and decodes a file once and says its size, its hash and what is wrong with it. Opening gives the picture
that a model sees. Both see the image upright, as its EXIF orientation asks for, so that boxes fit.
"""

from __future__ import annotations

import hashlib
import io
import stat
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from florence2.errors import DatasetError

__all__ = ["MAX_PIXELS", "ImageDefect", "ImageProbe", "open_rgb", "probe_image", "probe_images"]

MAX_PIXELS = 89_478_485
"""Largest picture that is decoded, in pixels: Pillow's own bound, a quarter of a gigabyte of RGB."""

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageDefect(StrEnum):
    """Why an image cannot be used."""

    OUTSIDE = "outside"
    MISSING = "missing"
    EMPTY = "empty"
    TOO_LARGE = "too-large"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class ImageProbe:
    """What a look at an image file found.

    Attributes:
        width: width of the upright image in pixels, None if it cannot be decoded.
        height: height of the upright image in pixels, None if it cannot be decoded.
        sha256: hexadecimal hash of the file's bytes, empty if it cannot be decoded.
        error: ``"<ImageDefect>: detail"``, None if all is well. Names no path: the row that asks knows it.
    """

    width: int | None = None
    height: int | None = None
    sha256: str = ""
    error: str | None = None


def probe_image(path: Path) -> ImageProbe:
    """Read and decode an image file.

    Args:
        path: the file.

    Returns:
        Its size and hash, or what is wrong with it. Never raises for what a file may hold.
    """
    try:
        mode = path.stat().st_mode
        # Opening a pipe or a device could wait for ever.
        if not stat.S_ISREG(mode):
            return _defect(ImageDefect.UNREADABLE, "is a folder" if stat.S_ISDIR(mode) else "is not a regular file")
        data = path.read_bytes()
    except FileNotFoundError:
        return _defect(ImageDefect.MISSING, "no such file")
    except (OSError, ValueError) as exc:
        return _defect(ImageDefect.UNREADABLE, getattr(exc, "strerror", None) or str(exc))
    if not data:
        return _defect(ImageDefect.EMPTY, "the file has 0 bytes")
    try:
        with Image.open(io.BytesIO(data)) as image:
            _load(image)
            width, height = _upright_size(image)
    except Exception as exc:  # decoders meet hostile bytes with nearly every exception there is
        return _defect(*_explain(exc))
    return ImageProbe(width, height, hashlib.sha256(data).hexdigest())


def probe_images(paths: Iterable[Path]) -> dict[Path, ImageProbe]:
    """Probe many image files in threads, each distinct path once.

    Args:
        paths: the files, in any order, with repetitions.

    Returns:
        A probe for each distinct path.
    """
    distinct = list(dict.fromkeys(paths))
    # Decoding and hashing release the interpreter lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        return dict(zip(distinct, pool.map(probe_image, distinct), strict=True))


def open_rgb(source: Path | BinaryIO) -> Image.Image:
    """Open an image as a model sees it: upright, 8-bit RGB.

    Transparency is laid over white, as viewers show it; 16-bit greyscale keeps its upper 8 bits instead of being
    clipped to white; palettes, greyscale and CMYK are converted.

    Args:
        source: the file, or its bytes as an opened binary stream.

    Returns:
        A new RGB image that no longer needs the file.

    Raises:
        DatasetError: the file cannot be decoded.
    """
    try:
        with Image.open(source) as image:
            _load(image)
            method = _UPRIGHT.get(_orientation(image))
            rgb = _to_rgb(image)
    except Exception as exc:  # decoders meet hostile bytes with nearly every exception there is
        defect, detail = _explain(exc)
        name = source if isinstance(source, Path) else "image"
        raise DatasetError(f"{name}: {defect}, {detail}; replace the file by a picture that viewers can show") from exc
    return rgb.transpose(method) if method is not None else rgb


def _defect(defect: ImageDefect, detail: str) -> ImageProbe:
    return ImageProbe(error=f"{defect}: {detail}")


def _load(image: Image.Image) -> None:
    """Decode an opened image, unless its header announces too many pixels."""
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise Image.DecompressionBombError(f"{width} x {height} pixels, at most {MAX_PIXELS} are decoded")
    image.load()


def _explain(error: Exception) -> tuple[ImageDefect, str]:
    """Name a decoder's complaint without the path that Pillow puts into it."""
    text = str(error)
    if isinstance(error, UnidentifiedImageError):
        return ImageDefect.UNREADABLE, "not an image of a known format"
    if isinstance(error, Image.DecompressionBombError):
        return ImageDefect.TOO_LARGE, text
    if any(sign in text.lower() for sign in ("truncated", "end of file", "incomplete")):
        return ImageDefect.TRUNCATED, text
    return ImageDefect.UNREADABLE, f"cannot be decoded ({text or type(error).__name__})"


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 (upright) if there is none or it cannot be read."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # a damaged EXIF block does not spoil the pixels
        return 1


def _upright_size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if _orientation(image) in (5, 6, 7, 8) else (width, height)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        # Pillow would clip: every value above 255 would become white.
        values = np.clip(np.asarray(image, dtype=np.int64), 0, 65535) >> 8
        return Image.fromarray(values.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")
