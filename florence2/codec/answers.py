"""Detection answers as text: write them, name what is wrong in an annotation, and read the boxes of a model's answer.

A detection answer is ``class<loc_x_min><loc_y_min><loc_x_max><loc_y_max>`` repeated. A class name is any text
without a location token: blanks, hyphens, digits and dots belong to it ("t-shirt", "9 of clubs").
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from florence2.codec.detections import Detections
from florence2.codec.grammar import format_spans, scan_boxes
from florence2.codec.locations import BINS, dequantize, location_token, quantize

__all__ = ["box_problem", "format_detections", "parse_detections"]


def format_detections(detections: Detections, resolution_wh: tuple[int, int]) -> str:
    """Write detections as the answer that Florence-2 is trained on.

    Args:
        detections: boxes in pixels with class names.
        resolution_wh: width and height of the image in pixels.

    Returns:
        The answer text; empty for no detections.
    """
    bins = quantize(detections.xyxy, resolution_wh).tolist()
    return format_spans(zip(detections.class_name, bins, strict=True))


def box_problem(class_name: str, bins: Sequence[int]) -> str | None:
    """Return the first problem of one group of an answer, with its value; None if the group is a box.

    Args:
        class_name: the text before the location tokens.
        bins: the numbers in the location tokens.
    """
    name = class_name.strip()
    if not name:
        return f"no class name before {_excerpt(name, bins)}"
    if "<loc" in name:
        return f"{_excerpt(name, bins)}: tokens are spelt <loc_0> to <loc_{BINS - 1}>"
    outside = [index for index in bins if not 0 <= index < BINS]
    if outside:
        reason = f"<loc_{outside[0]}> does not exist, bins go from 0 to {BINS - 1}"
        return f"{_excerpt(name, bins)}: {reason}"
    if len(bins) % 4:
        return f"{_excerpt(name, bins)}: {len(bins)} location tokens, a box takes 4"
    for start in range(0, len(bins), 4):
        x_min, y_min, x_max, y_max = bins[start : start + 4]
        if x_min > x_max:
            return f"{_excerpt(name, bins)}: x_min {x_min} > x_max {x_max}"
        if y_min > y_max:
            return f"{_excerpt(name, bins)}: y_min {y_min} > y_max {y_max}"
    return None


def _excerpt(name: str, bins: Sequence[int]) -> str:
    locations = "".join(location_token(index) for index in bins)
    return f"{name!r} with {locations}" if name else locations


def parse_detections(text: str, resolution_wh: tuple[int, int]) -> Detections:
    """Parse a model's answer leniently: keep every group that is a box, drop all others.

    Args:
        text: the answer without special tokens.
        resolution_wh: width and height of the image in pixels.

    Returns:
        The valid boxes in their order, without confidence.
    """
    spans, _ = scan_boxes(text)
    names: list[str] = []
    rows: list[tuple[int, ...]] = []
    for span in spans:
        name = span.class_name.strip()
        for start in range(0, len(span.bins) - 3, 4):
            box = span.bins[start : start + 4]
            if box_problem(name, box) is None:
                names.append(name)
                rows.append(box)
    if not rows:
        return Detections(np.zeros((0, 4), dtype=np.float32), ())
    return Detections(dequantize(rows, resolution_wh), tuple(names))
