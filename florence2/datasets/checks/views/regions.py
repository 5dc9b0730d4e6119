"""Messages about regions that were given in coordinates, in pixels as the user wrote them."""

from __future__ import annotations

import pandas as pd

from florence2.codec import BINS, BoxSpan, scan_boxes
from florence2.datasets.checks.views.rows import Row

__all__ = ["beyond_image", "in_pixels"]

_SHOWN = 5


def in_pixels(row: Row, bins: list[int]) -> list[float]:
    """Return the pixels of locations x, y, x, y, ..., by the size of the image that the annotations declare.

    Args:
        row: the row of the manifest. If the size of its image is unknown, the bins are returned.
        bins: the locations.

    Returns:
        The centres of the bins, rounded to a tenth of a pixel.
    """
    declared = not pd.isna(row["declared_width"])
    size = (row["declared_width"], row["declared_height"]) if declared else (row["width"], row["height"])
    if any(pd.isna(side) for side in size):
        return [float(number) for number in bins]
    return [round((number + 0.5) / BINS * int(size[index % 2]), 1) for index, number in enumerate(bins)]


def beyond_image(row: Row) -> str:
    """Return in words which regions of an answer leave their image, by the line of each."""
    spans, _ = scan_boxes(row["suffix"])
    lines = row.box_lines
    names = [f" (annotation id {key})" if key else "" for key in row.box_keys]
    where = [f" in line {line}{name}" for line, name in zip(lines, names, strict=True)]
    where = where if len(lines) == len(spans) else [""] * len(spans)
    reaches = [_reach(row, span) for span in spans]
    beyond = [
        f"{span.class_name.strip()!r}{line} reaches to about {reach}"
        for span, line, reach in zip(spans, where, reaches, strict=True)
        if reach
    ]
    more = f"; and {len(beyond) - _SHOWN} more" if len(beyond) > _SHOWN else ""
    return f"{'; '.join(beyond[:_SHOWN])}{more}; the image has {row['width']} x {row['height']} pixels"


def _reach(row: Row, span: BoxSpan) -> str:
    """Return the coordinates of one region that lie outside its image, in words; empty if there are none."""
    pixels = in_pixels(row, list(span.bins))
    outside = [
        f"{'xy'[index % 2]} {value:g}"
        for index, (location, value) in enumerate(zip(span.bins, pixels, strict=True))
        if not 0 <= location < BINS
    ]
    return ", ".join(dict.fromkeys(outside))
