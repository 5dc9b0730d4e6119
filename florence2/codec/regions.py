"""Answers with regions other than named boxes: write them, and parse those of a model.

    <REGION_PROPOSAL>                    <loc_x_min><loc_y_min><loc_x_max><loc_y_max>, repeated
    <OCR_WITH_REGION>                    text<loc_x1><loc_y1>...<loc_x4><loc_y4>, repeated: the corners clockwise
    <REFERRING_EXPRESSION_SEGMENTATION>  <loc_x1><loc_y1><loc_x2><loc_y2>..., outlines with <sep> between them;
    <REGION_TO_SEGMENTATION>             Florence-2 may also put <poly> and </poly> around the outlines of an instance

Parsing never fails: what is not a region (a bin that does not exist, too few corners, an answer that was cut) is left
out and counted. ``Florence2Processor`` reads the same grammar, but rounds to whole pixels and does not count; here
coordinates are floats at the centre of their bins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from florence2.codec.detections import Detections
from florence2.codec.grammar import format_spans, scan_boxes
from florence2.codec.locations import BINS, dequantize, dequantize_points, quantize_points

__all__ = [
    "PROPOSAL",
    "Polygons",
    "Quads",
    "format_polygons",
    "format_quads",
    "parse_polygons",
    "parse_proposals",
    "parse_quads",
]

PROPOSAL = "region"
"""Class name of all boxes without a name."""

_SEPARATOR = re.compile(r"<sep>|<poly>|</poly>")
_FEWEST_POINTS = 3


@dataclass(frozen=True)
class Quads:
    """The texts in one image and their quadrilaterals.

    Attributes:
        xy: float32 (n, 4, 2), the corners of each quadrilateral as x, y in pixels.
        text: n texts.
        malformed: parts of the answer that were no quadrilateral and were left out.

    Raises:
        ValueError: the fields do not fit together.
    """

    xy: NDArray[np.float32]
    text: tuple[str, ...]
    malformed: int = 0

    def __post_init__(self) -> None:
        xy = np.asarray(self.xy, dtype=np.float32)
        object.__setattr__(self, "xy", xy.reshape(-1, 4, 2) if not xy.size else xy)
        object.__setattr__(self, "text", tuple(self.text))
        if self.xy.shape != (len(self.text), 4, 2):
            raise ValueError(f"xy of {len(self.text)} texts must have shape ({len(self.text)}, 4, 2), not {xy.shape}")

    def __len__(self) -> int:
        return len(self.text)


@dataclass(frozen=True)
class Polygons:
    """The outlines of one object; the object is all of their areas together.

    Attributes:
        xy: an array float32 (points, 2) for each outline, x, y in pixels, at least three points each.
        malformed: parts of the answer that were no outline and were left out.

    Raises:
        ValueError: an outline has another shape.
    """

    xy: tuple[NDArray[np.float32], ...]
    malformed: int = 0

    def __post_init__(self) -> None:
        outlines = tuple(np.asarray(outline, dtype=np.float32) for outline in self.xy)
        object.__setattr__(self, "xy", outlines)
        for outline in outlines:
            if outline.ndim != 2 or outline.shape[1] != 2 or len(outline) < _FEWEST_POINTS:
                raise ValueError(f"an outline must have shape (points, 2), at least 3 points, not {outline.shape}")

    def __len__(self) -> int:
        return len(self.xy)


def parse_proposals(text: str, resolution_wh: tuple[int, int]) -> Detections:
    """Parse boxes without names; words between them are ignored.

    Args:
        text: the answer without special tokens.
        resolution_wh: width and height of the image in pixels.

    Returns:
        The valid boxes in their order, all of the class ``PROPOSAL``, without confidence.
    """
    spans, _ = scan_boxes(text)
    boxes = [span.bins[start : start + 4] for span in spans for start in range(0, len(span.bins) - 3, 4)]
    rows = [box for box in boxes if _exist(box) and box[0] <= box[2] and box[1] <= box[3]]
    xyxy = dequantize(np.array(rows, dtype=np.int64).reshape(-1, 4), resolution_wh)
    return Detections(xyxy, (PROPOSAL,) * len(rows))


def format_quads(quads: Quads, resolution_wh: tuple[int, int]) -> str:
    """Write texts and quadrilaterals as the answer that Florence-2 is trained on; ``parse_quads`` is the inverse."""
    bins = quantize_points(quads.xy.reshape(-1, 2), resolution_wh).reshape(-1, 8).tolist()
    return format_spans(zip(quads.text, bins, strict=True))


def parse_quads(text: str, resolution_wh: tuple[int, int]) -> Quads:
    """Parse texts with their quadrilaterals of eight location tokens each; further eight tokens repeat the text.

    Args:
        text: the answer without special tokens.
        resolution_wh: width and height of the image in pixels.

    Returns:
        The valid regions in their order, and the number of malformed ones.
    """
    spans, rest = scan_boxes(text)
    texts: list[str] = []
    corners: list[tuple[int, ...]] = []
    malformed = int(bool(rest.strip()))
    for span in spans:
        name = span.class_name.strip()
        for start in range(0, len(span.bins), 8):
            bins = span.bins[start : start + 8]
            if name and "<loc" not in name and len(bins) == 8 and _exist(bins):
                texts.append(name)
                corners.append(bins)
            else:
                malformed += 1
    points = np.array(corners, dtype=np.int64).reshape(-1, 2)
    return Quads(dequantize_points(points, resolution_wh).reshape(-1, 4, 2), tuple(texts), malformed)


def format_polygons(polygons: Polygons, resolution_wh: tuple[int, int]) -> str:
    """Write the outlines of one object as Florence-2 is trained on; ``parse_polygons`` is the inverse."""
    bins = [quantize_points(outline, resolution_wh).ravel().tolist() for outline in polygons.xy]
    return "<sep>".join(format_spans([("", outline)]) for outline in bins)


def parse_polygons(text: str, resolution_wh: tuple[int, int]) -> Polygons:
    """Parse the outlines of an object; those of several instances become one object, and words are ignored.

    Args:
        text: the answer without special tokens.
        resolution_wh: width and height of the image in pixels.

    Returns:
        The valid outlines in their order, and the number of parts that were left out: outlines with a bin that does
        not exist or with less than three points, and an x without its y.
    """
    outlines: list[NDArray[np.float32]] = []
    malformed = 0
    for part in _SEPARATOR.split(text):
        for span in scan_boxes(part)[0]:
            points = np.array(span.bins[: len(span.bins) // 2 * 2], dtype=np.int64).reshape(-1, 2)
            right = len(points) >= _FEWEST_POINTS and _exist(span.bins)
            if right:
                outlines.append(dequantize_points(points, resolution_wh))
            malformed += not right or len(span.bins) % 2
    return Polygons(tuple(outlines), malformed)


def _exist(bins: tuple[int, ...]) -> bool:
    return all(0 <= index < BINS for index in bins)
