"""What to tell about regions that were given in coordinates, in the unit in which they were."""

from __future__ import annotations

from typing import Any

import pandas as pd

from florence2.codec import BINS, scan_boxes

__all__ = ["beyond_image", "in_pixels"]

_SHOWN = 5


def in_pixels(row: Any, bins: list[int]) -> list[float]:
    """Return locations x, y, x, y, ... in about as many pixels, of the size to which the coordinates referred.

    Args:
        row: of the manifest; its image may be unreadable, and the locations are then returned as they are.
        bins: the locations.
    """
    declared = not pd.isna(row["declared_width"])
    size = (row["declared_width"], row["declared_height"]) if declared else (row["width"], row["height"])
    if any(pd.isna(side) for side in size):
        return [float(number) for number in bins]
    return [round((number + 0.5) / BINS * int(size[place % 2]), 1) for place, number in enumerate(bins)]


def beyond_image(row: Any) -> str:
    """Say which regions of an answer leave their image, by the line in which each stands."""
    spans, _ = scan_boxes(row["suffix"])
    lines = row["box_lines"].split()
    told = []
    for number, span in enumerate(spans):
        if any(not 0 <= index < BINS for index in span.bins):
            pixels = in_pixels(row, list(span.bins))
            reach = [
                f"{'xy'[place % 2]} {value:g}"
                for place, (index, value) in enumerate(zip(span.bins, pixels, strict=True))
                if not 0 <= index < BINS
            ]
            where = f" in line {lines[number]}" if len(lines) == len(spans) else ""
            told.append(f"{span.class_name.strip()!r}{where} reaches to about {', '.join(dict.fromkeys(reach))}")
    more = f"; and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"{'; '.join(told[:_SHOWN])}{more}; the image has {row['width']} x {row['height']} pixels"
