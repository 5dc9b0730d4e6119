"""Image files: what one is, without keeping its pixels, and how it becomes an upright RGB image.

Probing reads and decodes a file once and says its size, its hash and what is wrong with it. Opening gives the image
that a model sees. Both see the image upright, as its EXIF orientation asks for, so that boxes fit.
"""

from __future__ import annotations

import errno
import hashlib
import io
import logging
import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from florence2.errors import ImageError
from florence2.images.rgb import mode_of, to_rgb
from florence2.images.signatures import mean_luma, signature
from florence2.storage import is_file_inside, read_regular

__all__ = [
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "ImageDefect",
    "ImageProbe",
    "list_images",
    "open_bytes",
    "open_rgb",
    "probe_image",
]

logger = logging.getLogger(__name__)

MAX_PIXELS = 89_478_485
"""Largest image that is decoded, in pixels: Pillow's own bound, a quarter of a gigabyte of RGB."""

MAX_FILE_BYTES = 1 << 30
"""Largest file that is read: more than the largest image has uncompressed, at 8 bytes a pixel."""

_MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""Most pixels times scans of a JPEG. Each scan of a progressive one goes over the whole image, and a scan may have a
few bytes: without a bound, a small file could be decoded for hours. Usual ones have about ten scans."""

_FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "DIB", "GIF", "PPM", "JPEG2000", "AVIF")
"""Images of cameras, scanners and the web. What else Pillow knows is rare, and some of it (EPS) starts programs."""

_LEAST_SIDE, _SMALL_SIDE = 48, 96
"""Pixels. The signature is taken from an image that is decoded at no less than the former, where the file has it, and
scaled to the latter. It then differs by at most 2 of 255 from that of the full image."""

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
    """What a look at an image file found.

    Attributes:
        width: width of the upright image in pixels, None if it cannot be decoded.
        height: height of the upright image in pixels, None if it cannot be decoded.
        sha256: hexadecimal hash of the file's bytes, empty if it cannot be decoded.
        mode: Pillow's name of how the file stores pixels, "RGB" or what it is converted from: "L", "RGBA", "CMYK",
            "I;16" ..., with "+transparency" where that does not tell of it, as in "P+transparency"; None if it cannot
            be decoded.
        orientation: EXIF orientation 1..8, 1 if there is none; None if it cannot be decoded.
        brightness: ``mean_luma`` of the signature, 0 (black) to 1 (white); None if it cannot be decoded.
        signature: of the upright image, for finding near-identical ones; None if it cannot be decoded.
        error: ``"<ImageDefect>: detail"``, None if all is well. Names no path: the row that asks knows it.
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
        """Return the attributes in their order, as JSON can hold them; ``ImageProbe(*values)`` is the probe again."""
        return list(vars(self).values())  # dataclasses.astuple copies them one by one: a tenth of the time of probing


def probe_image(path: Path) -> ImageProbe:
    """Read and decode an image file, at a reduced size where the format allows it.

    Args:
        path: the file; a symbolic link is followed.

    Returns:
        What it is, or what is wrong with it. Never raises for what a file may hold.
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
    except Exception as exc:  # decoders meet hostile bytes with nearly every exception there is
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


def list_images(root: Path) -> list[str]:
    """Return the paths, relative to a folder, of the files in it that are named like images, sorted.

    Hidden files and folders are left out, and so are pipes, devices and symbolic links that lead out of the folder.
    Links to folders are not followed. What has a name that is not valid UTF-8 cannot be written down anywhere:
    it is left out with a warning.
    """
    Image.init()
    suffixes = tuple(suffix for suffix, name in Image.registered_extensions().items() if name in (*_FORMATS, "MPO"))
    top = os.path.realpath(root)
    names: list[str] = []
    unwritable: list[str] = []
    folders = [""]
    while folders:
        above = folders.pop()
        try:
            entries = os.scandir(os.path.join(root, above))  # noqa: PTH118 - a Path for each of a million files is slow
        except OSError:
            continue  # a folder without permission: its images are reported as unreadable where rows name them
        with entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                is_folder = entry.is_dir(follow_symlinks=False)
                if not is_folder and not entry.name.lower().endswith(suffixes):
                    continue
                if not _is_text(entry.name):
                    unwritable.append(above + entry.name)
                elif is_folder:
                    folders.append(f"{above}{entry.name}/")
                elif entry.is_file(follow_symlinks=False) or (entry.is_symlink() and is_file_inside(entry.path, top)):
                    names.append(above + entry.name)
    if unwritable:
        logger.warning(
            "%s: %d files or folders have names that are not valid UTF-8 and are left out, such as %a; rename them",
            root,
            len(unwritable),
            min(unwritable),
        )
    return sorted(names)


def _is_text(name: str) -> bool:
    """Tell whether a name from the file system is valid UTF-8; Python marks bytes that are not by surrogates."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def open_rgb(source: Path | BinaryIO, least_side: int | None = None) -> Image.Image:
    """Open an image as a model sees it: upright, 8-bit RGB, see ``to_rgb``.

    Args:
        source: the file, or its bytes as an opened binary stream.
        least_side: pixels of the smaller side that are enough; a JPEG is then decoded at the half, quarter or eighth
            that still has as many. Other formats, and all without this, come at their full size.

    Returns:
        A new RGB image that no longer needs the file.

    Raises:
        ImageError: the file cannot be decoded.
    """
    try:
        rgb, _ = _open(source, least_side)
    except Exception as exc:  # decoders meet hostile bytes with nearly every exception there is
        defect, detail = _explain(exc)
        name = source if isinstance(source, Path) else "image"
        message = f"{name}: {defect}, {detail}; replace the file by an image that viewers can show"
        raise ImageError(message, defect) from exc
    return rgb


def open_bytes(
    data: bytes, least_side: int | None = None, most_pixels: int | None = None
) -> tuple[Image.Image, tuple[int, int]]:
    """Open an image of which there are the bytes, as ``open_rgb`` does, within a limit of pixels.

    Args:
        data: the bytes of an image file.
        least_side: see ``open_rgb``.
        most_pixels: largest image that is decoded, width times height; None: MAX_PIXELS.

    Returns:
        The RGB image, and width and height in pixels that the upright image has at its full size.

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
    with Image.open(source, formats=_FORMATS) as image:
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
    with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
        _refuse_too_large(image, scans=data.count(b"\xff\xda") if image.format in ("JPEG", "MPO") else 1)
        width, height = image.size
        mode, stored = mode_of(image), _orientation(image)
        # JPEG alone can be decoded at a reduced size; its whole stream is read nevertheless, so truncation is seen.
        drafted = image.draft(None, (_LEAST_SIDE, _LEAST_SIDE))
        image.load()
        # TIFF has the upright size from the start and is turned in loading; its orientation then says 1.
        turned = _orientation(image)
        if turned in _SIDEWAYS:
            width, height = height, width
        small = _upright(_reduced_rgb(image, drafted[1] if drafted else (0, 0, *image.size)), turned)
    return small, (width, height), mode, stored


def _refuse_too_large(image: Image.Image, scans: int = 1, most_pixels: int | None = None) -> None:
    """Raise if the header of an opened image announces more than is decoded, without a bound MAX_PIXELS."""
    width, height = image.size
    most_pixels = most_pixels or MAX_PIXELS
    if width * height > most_pixels:
        raise Image.DecompressionBombError(f"{width} x {height} pixels, at most {most_pixels} are decoded")
    if width * height * scans > _MAX_SCANNED_PIXELS / MAX_PIXELS * most_pixels:
        raise Image.DecompressionBombError(f"{scans} scans of {width} x {height} pixels would be decoded")


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
        value = int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # a damaged EXIF block does not spoil the pixels
        return 1
    return value if value in _UPRIGHT else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    method = _UPRIGHT.get(orientation)
    return image.transpose(method) if method is not None else image


def _reduced_rgb(image: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """Return a loaded image as RGB, scaled to a small square unless it is small already.

    Args:
        image: of any mode.
        box: what of it is the image, in its pixels; a JPEG decoded at a reduced size has a part of a pixel too many.
    """
    # A palette cannot be scaled, nor can one colour that stands for transparency be found in a scaled image.
    if mode_of(image) not in ("L", "RGB", "RGBA", "LA", "CMYK"):
        image = to_rgb(image)
    if min(image.size) > _SMALL_SIDE or box != (0, 0, *image.size):
        side = (_SMALL_SIDE, _SMALL_SIDE)
        image = image.resize(side, Image.Resampling.BILINEAR, box=box, reducing_gap=2.0)
    return image if mode_of(image) == "RGB" else to_rgb(image)
