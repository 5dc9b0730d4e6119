"""Image files: probe one without keeping its pixels, and open one as an upright RGB image.

Probing reads and decodes a file once and returns its size, its hash and its defect. Opening returns the image that a
model gets. Both turn the image upright by its EXIF orientation, so that boxes fit.
"""

from __future__ import annotations

import errno
import hashlib
import io
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from florence2.errors import ImageError
from florence2.images.rgb import mode_of, to_rgb
from florence2.images.signatures import mean_luma, signature
from florence2.storage import read_regular

__all__ = [
    "FORMATS",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "ImageDefect",
    "ImageProbe",
    "open_bytes",
    "open_rgb",
    "probe_image",
]

MAX_PIXELS = 89_478_485
"""Largest image that is decoded, in pixels: Pillow's own limit, a quarter of a gigabyte of RGB."""

MAX_FILE_BYTES = 1 << 30
"""Largest file that is read, in bytes: more than the largest image has without compression, at 8 bytes a pixel."""

_MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""Largest product of pixels and scans of a JPEG. Each scan of a progressive JPEG covers the whole image and may have
few bytes: without a limit, the decoding of a small file could take hours. Usual files have about ten scans."""

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "AVIF")
"""Formats of cameras, scanners and the web. The others that Pillow knows are rare, and some (EPS) start programs."""

_LEAST_SIDE, _SMALL_SIDE = 48, 96
"""Pixels. For the signature an image is decoded with at least the first as its shorter side, where the file has as
many, and scaled to the second. The signature then differs by at most 2 of 255 from that of the full image."""

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


_SIDEWAYS = (5, 6, 7, 8)


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
    """What is known of an image file after reading it once.

    Attributes:
        width: width of the upright image in pixels, None if it cannot be decoded.
        height: height of the upright image in pixels, None if it cannot be decoded.
        sha256: hexadecimal hash of the file's bytes, empty if it cannot be decoded.
        mode: Pillow's name of how the file stores pixels, such as "RGB", "L", "RGBA", "CMYK" or "I;16", with
            "+transparency" where the mode does not include it, as in "P+transparency"; None if it cannot be decoded.
        orientation: EXIF orientation 1..8, 1 if there is none; None if it cannot be decoded.
        brightness: ``mean_luma`` of the signature, 0 (black) to 1 (white); None if it cannot be decoded.
        signature: of the upright image, to find near-identical ones; None if it cannot be decoded.
        error: ``"<ImageDefect>: detail"`` without the path, which the caller knows; None for an image that can be read.
    """

    width: int | None = None
    height: int | None = None
    sha256: str = ""
    mode: str | None = None
    orientation: int | None = None
    brightness: float | None = None
    signature: str | None = None
    error: str | None = None

    def values(self) -> list[str | int | float | None]:
        """Return the attributes in their order, as JSON can hold them; ``ImageProbe(*values)`` is the inverse."""
        return list(vars(self).values())  # dataclasses.astuple copies them one by one: a tenth of the time of probing


def probe_image(path: Path) -> ImageProbe:
    """Read and decode an image file, at a reduced size where the format allows it.

    Args:
        path: the file; a symbolic link is followed.

    Returns:
        Its properties, or its defect. Never raises, whatever the file contains.
    """
    try:
        data = read_regular(path, MAX_FILE_BYTES)
    except FileNotFoundError:
        return _defect(ImageDefect.MISSING, "no such file")
    except OSError as exc:
        too_large = exc.errno == errno.EFBIG
        return _defect(ImageDefect.TOO_LARGE if too_large else ImageDefect.UNREADABLE, exc.strerror or str(exc))
    except ValueError as exc:
        return _defect(ImageDefect.UNREADABLE, str(exc))
    if not data:
        return _defect(ImageDefect.EMPTY, "the file has 0 bytes")
    try:
        small, (width, height), mode, orientation = _decode_small(data)
    except Exception as exc:  # decoders raise nearly every exception there is for hostile bytes
        return _defect(*_explain(exc))
    text = signature(small)
    return ImageProbe(
        width=width,
        height=height,
        sha256=hashlib.sha256(data).hexdigest(),
        mode=mode,
        orientation=orientation,
        brightness=round(mean_luma(text), 4),
        signature=text,
    )


def open_rgb(source: Path | BinaryIO, least_side: int | None = None) -> Image.Image:
    """Open an image as a model gets it: upright, 8-bit RGB, see ``to_rgb``.

    Args:
        source: the file, or its bytes as an opened binary stream.
        least_side: least pixels of the shorter side; a JPEG is then decoded at the half, quarter or eighth that still
            has as many. Other formats are decoded at their full size; None: all are.

    Returns:
        A new RGB image that no longer needs the file.

    Raises:
        ImageError: the file cannot be decoded.
    """
    try:
        rgb, _ = _open(source, least_side)
    except Exception as exc:  # decoders raise nearly every exception there is for hostile bytes
        defect, detail = _explain(exc)
        name = source if isinstance(source, Path) else "image"
        message = f"{name}: {defect}, {detail}; replace the file by an image that viewers can show"
        raise ImageError(message, defect) from exc
    return rgb


def open_bytes(
    data: bytes, least_side: int | None = None, most_pixels: int | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """Open an image from its bytes, as ``open_rgb`` does, within a limit of pixels.

    Args:
        data: the bytes of an image file.
        least_side: see ``open_rgb``.
        most_pixels: largest image that is decoded, width times height; None: MAX_PIXELS.

    Returns:
        The RGB image, and width and height in pixels of the upright image at its full size.

    Raises:
        ImageError: it has more pixels, and nothing was decoded; or it cannot be decoded.
    """
    try:
        return _open(io.BytesIO(data), least_side, most_pixels, data.count(b"\xff\xda"))
    except Exception as exc:  # as above
        defect, detail = _explain(exc)
        raise ImageError(f"image: {defect}, {detail}", defect) from exc


def _open(
    source: Path | BinaryIO, least_side: int | None, most_pixels: int | None = None, scans: int = 1
) -> tuple[Image.Image, tuple[int, int]]:
    with Image.open(source, formats=FORMATS) as image:
        _refuse_too_large(image, scans if image.format in ("JPEG", "MPO") else 1, most_pixels)
        width, height = image.size
        if least_side is not None:
            image.draft(None, (least_side, least_side))
        image.load()
        turned = _orientation(image)
        if turned in _SIDEWAYS:
            width, height = height, width
        return _upright(to_rgb(image), turned), (width, height)


def _defect(defect: ImageDefect, detail: str) -> ImageProbe:
    return ImageProbe(error=f"{defect}: {detail}")


def _decode_small(data: bytes) -> tuple[Image.Image, tuple[int, int], str, int]:
    """Decode the bytes of an image file.

    Returns:
        The upright RGB image, reduced; the size of the full upright one as (width, height) in pixels; the mode and
        the orientation that the file has.
    """
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _refuse_too_large(image, scans=data.count(b"\xff\xda") if image.format in ("JPEG", "MPO") else 1)
        width, height = image.size
        mode, stored = mode_of(image), _orientation(image)
        # Only JPEG can be decoded at a reduced size; its whole stream is read nevertheless, so truncation is found.
        drafted = image.draft(None, (_LEAST_SIDE, _LEAST_SIDE))
        image.load()
        # TIFF has the upright size from the start and is turned while it is loaded; its orientation is 1 from then on.
        turned = _orientation(image)
        if turned in _SIDEWAYS:
            width, height = height, width
        small = _upright(_reduced_rgb(image, drafted[1] if drafted else (0, 0, *image.size)), turned)
    return small, (width, height), mode, stored


def _refuse_too_large(image: Image.Image, scans: int = 1, most_pixels: int | None = None) -> None:
    """Raise if the header of an opened image has more pixels than are decoded; None: MAX_PIXELS."""
    width, height = image.size
    most_pixels = most_pixels or MAX_PIXELS
    if width * height > most_pixels:
        raise Image.DecompressionBombError(f"{width} x {height} pixels, at most {most_pixels} are decoded")
    if width * height * scans > _MAX_SCANNED_PIXELS / MAX_PIXELS * most_pixels:
        raise Image.DecompressionBombError(f"{scans} scans of {width} x {height} pixels would be decoded")


def _explain(error: Exception) -> tuple[ImageDefect, str]:
    """Return the defect behind a decoder's error, and its message without the path that Pillow adds."""
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
        value = int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # the pixels may be readable although the EXIF block is damaged
        return 1
    return value if value in _UPRIGHT else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image.transpose(method) if method is not None else image


def _reduced_rgb(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """Return a loaded image as RGB, scaled to a small square unless it is small already.

    Args:
        image: of any mode.
        box: the part that is the image, in pixels; a JPEG decoded at a reduced size has a fraction of a pixel more.
    """
    # A palette cannot be scaled, and a colour that stands for transparency cannot be found in a scaled image.
    if mode_of(image) not in ("L", "RGB", "RGBA", "LA", "CMYK"):
        image = to_rgb(image)
    if min(image.size) > _SMALL_SIDE or box != (0, 0, *image.size):
        side = (_SMALL_SIDE, _SMALL_SIDE)
        image = image.resize(side, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    return image if mode_of(image) == "RGB" else to_rgb(image)
