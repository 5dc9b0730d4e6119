"""The only quantiser: pixels to Florence-2's 1000 location bins and back.

A coordinate ``x`` of an image ``width`` pixels wide lies in bin ``floor(x / width * 1000)``, clamped to
0..999; a bin stands for its centre, ``(bin + 0.5) / 1000 * width``. Rounding instead of flooring would
shift every box by half a bin and make the non-existent token ``<loc_1000>`` at the right and bottom edge.
Source: Florence-2 (arXiv 2311.06242), section 4.1, and the ``floor`` mode of its published ``BoxQuantizer``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = [
    "BINS",
    "dequantize",
    "dequantize_points",
    "location_token",
    "quantize",
    "quantize_points",
    "unclamped_bins",
]

BINS = 1000
"""Number of location tokens: ``<loc_0>`` to ``<loc_999>``."""

_FAR_OUTSIDE = 1_000_000


def quantize(xyxy: ArrayLike, resolution_wh: tuple[int, int]) -> NDArray[np.int64]:
    """Convert pixel coordinates to location bins.

    Args:
        xyxy: boxes (n, 4) as x_min, y_min, x_max, y_max in pixels.
        resolution_wh: width and height of the image in pixels.

    Returns:
        Bins (n, 4), each in 0..999. Coordinates outside the image are clamped to its edge.
    """
    return quantize_points(np.asarray(xyxy).reshape(-1, 2), resolution_wh).reshape(-1, 4)


def quantize_points(xy: ArrayLike, resolution_wh: tuple[int, int]) -> NDArray[np.int64]:
    """Convert points to location bins.

    Args:
        xy: points (n, 2) as x, y in pixels.
        resolution_wh: width and height of the image in pixels.

    Returns:
        Bins (n, 2), each in 0..999. Points outside the image are clamped to its edge.
    """
    pixels = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    return np.clip(unclamped_bins(pixels, np.array(resolution_wh, dtype=np.float64)), 0, BINS - 1)


def unclamped_bins(coordinates: ArrayLike, extent: ArrayLike, rounding: ArrayLike = 0.0) -> NDArray[np.int64]:
    """Convert coordinates to bins without clamping them to the image.

    Readers of other formats use it for annotations, so that validation sees and names a box that leaves its image.
    A coordinate exactly on the right or bottom edge is inside and belongs to the last bin, and so does one that is
    beyond an edge by less than the rounding of the tool that wrote it.

    Args:
        coordinates: finite pixels, any shape.
        extent: width or height of the image in pixels, of a shape that broadcasts to ``coordinates``.
        rounding: in the same unit and of such a shape.

    Returns:
        Bins of the shape of ``coordinates``; 0..999 inside the image, limited to a million on either side.
    """
    values, size = np.asarray(coordinates, dtype=np.float64), np.asarray(extent, dtype=np.float64)
    # 0.1 + 0.2 is a little more than 0.3: x_min + width may differ from the edge in the last digit.
    slack = np.maximum(np.asarray(rounding, dtype=np.float64), 1e-9 * size)
    bins = np.floor(values / size * BINS)
    bins = np.where((values > -slack) & (values < 0), 0, bins)
    bins = np.where((values >= size * (1 - 1e-9)) & (values < size + slack), BINS - 1, bins)
    return np.clip(bins, -_FAR_OUTSIDE, _FAR_OUTSIDE).astype(np.int64)


def dequantize(bins: ArrayLike, resolution_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Convert location bins to pixel coordinates at the centre of each bin.

    Args:
        bins: location bins (n, 4), each in 0..999.
        resolution_wh: width and height of the image in pixels.

    Returns:
        Boxes (n, 4) as x_min, y_min, x_max, y_max in pixels; never rounded to whole pixels: on small
        images that would lower the mAP of a perfect answer by a tenth.
    """
    return dequantize_points(np.asarray(bins).reshape(-1, 2), resolution_wh).reshape(-1, 4)


def dequantize_points(bins: ArrayLike, resolution_wh: tuple[int, int]) -> NDArray[np.float32]:
    """Convert location bins to points at the centre of each bin.

    Args:
        bins: location bins (n, 2) of x and y, each in 0..999.
        resolution_wh: width and height of the image in pixels.

    Returns:
        Points (n, 2) as x, y in pixels, never rounded to whole pixels.
    """
    indices = np.asarray(bins, dtype=np.float64).reshape(-1, 2)
    return ((indices + 0.5) / BINS * np.array(resolution_wh, dtype=np.float64)).astype(np.float32)


def location_token(bin_index: int) -> str:
    """Return the token of one bin, for example ``<loc_42>``."""
    return f"<loc_{bin_index}>"
