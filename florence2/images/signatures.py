"""Signatures of images: short texts that are nearly the same for an image saved again, scaled or brightened.

A signature holds the image at 12 x 12 cells: few enough to keep, and enough to distinguish similar images.
"""

from __future__ import annotations

import base64
import binascii

from PIL import Image

from florence2.images.rgb import mode_of, to_rgb

__all__ = ["GRID", "LUMA_BYTES", "SIGNATURE_VERSION", "decode_signature", "mean_luma", "signature"]

SIGNATURE_VERSION = 1
"""Is changed when signatures of the same image change, so that stored ones are computed again."""

GRID = 12
"""Cells of the brightness along each side."""

LUMA_BYTES = GRID**2
"""Number of bytes at the beginning of a decoded signature that are brightness, by row; the rest is colour."""

_COLOUR_GRID, _MARGIN = 4, 0.04
_BYTES = LUMA_BYTES + 2 * _COLOUR_GRID**2


def signature(image: Image.Image) -> str:
    """Return a short text that is nearly the same for an image saved again, scaled or slightly brightened.

    Args:
        image: the upright image, also a reduced one with at least 16 pixels a side where the file has as many. Modes
            other than RGB are converted by ``to_rgb``.

    Returns:
        235 ASCII characters: brightness at 12 x 12 and colour at 4 x 4, 0..255 each, in base 64.
    """
    # The triangle filter covers the neighbouring cells too, so that cells of a fractional width do not jump. The margin
    # is left out: a thin frame, or the half-filled last pixels of a reduced image, must make no difference.
    width, height = image.size
    inside = (_MARGIN * width, _MARGIN * height, (1 - _MARGIN) * width, (1 - _MARGIN) * height)
    rgb = image if mode_of(image) == "RGB" else to_rgb(image)
    small = rgb.resize((GRID, GRID), Image.Resampling.BILINEAR, box=inside, reducing_gap=4.0)
    cells = small.convert("YCbCr")
    colour = cells.resize((_COLOUR_GRID, _COLOUR_GRID), Image.Resampling.BOX).tobytes()
    data = cells.tobytes()[::3] + colour[1::3] + colour[2::3]
    return base64.b64encode(data).decode().rstrip("=")


def decode_signature(text: str) -> bytes | None:
    """Return the 176 bytes of a signature, brightness and colour in levels of 0..255; None if the text is none."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        return None
    return data if len(data) == _BYTES else None


def mean_luma(text: str) -> float:
    """Return the mean brightness of the cells of a signature, 0 (black) to 1 (white).

    That is about the mean luma (ITU-R 601) of the image without a margin of 4 % at each side, from which a
    twenty-fourth of the weight still comes. Cells are rounded to levels of 255, some of them down.

    Args:
        text: of ``signature``.
    """
    data = decode_signature(text)
    assert data is not None
    return sum(data[:LUMA_BYTES]) / LUMA_BYTES / 255
