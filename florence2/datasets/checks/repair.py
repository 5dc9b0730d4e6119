"""Repair what is beyond doubt: clip boxes, remove what is there twice or marks nothing, strip blanks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.codec import BINS, BoxSpan, format_spans, scan_boxes
from florence2.datasets.boxes import Boxes, tidy
from florence2.datasets.checks.definition import RepairKind
from florence2.datasets.checks.view import Positions
from florence2.datasets.manifest import DatasetManifest

__all__ = ["repair"]


@dataclass
class _Work:
    """The repairs of one row: boxes by their number in it, and whether its class names are stripped."""

    clip: set[int] = field(default_factory=set)
    drop: set[int] = field(default_factory=set)
    strip: bool = False


def repair(
    manifest: DatasetManifest, boxes: Boxes, wanted: Mapping[RepairKind, Positions]
) -> tuple[DatasetManifest, Positions, NDArray[np.bool_]]:
    """Repair rows.

    Args:
        manifest: the data set.
        boxes: its boxes.
        wanted: what to repair: positions in ``boxes`` for "clip" and "drop-box", of rows for "strip" and "drop-row".

    Returns:
        The repaired manifest; the rows of the old one that were changed, in order; and which of the old rows are kept.
        Image files stay in its table, except those that only removed rows named.
    """
    work: defaultdict[int, _Work] = defaultdict(_Work)
    for position in wanted.get("clip", ()):
        work[int(boxes.row[position])].clip.add(int(boxes.number[position]))
    for position in wanted.get("drop-box", ()):
        work[int(boxes.row[position])].drop.add(int(boxes.number[position]))
    for row in wanted.get("strip", ()):
        work[int(row)].strip = True
    keep = np.ones(len(manifest), dtype=bool)
    keep[list(wanted.get("drop-row", ()))] = False
    changed = np.array(sorted(work), dtype=np.int64)
    table = manifest.table.copy()
    old = table.iloc[changed]
    repaired = [
        _repair_row(suffix, lines, work[row])
        for row, suffix, lines in zip(changed.tolist(), old["suffix"], old["box_lines"], strict=True)
    ]
    for column, values in zip(("suffix", "box_lines"), zip(*repaired, strict=True), strict=False):
        table.loc[changed, column] = pd.array(list(values), dtype="string")
    left = table[keep].reset_index(drop=True)
    abandoned = manifest.images["image"].isin(table.loc[~keep, "image"]) & ~manifest.images["image"].isin(left["image"])
    images = manifest.images[~abandoned].reset_index(drop=True)
    return replace(manifest, table=left, images=images), changed, keep


def _repair_row(suffix: str, box_lines: str | None, work: _Work) -> tuple[str, str | None]:
    """Return the repaired answer and the lines of the boxes that are left."""
    spans, rest = scan_boxes(suffix)
    number = 0
    repaired: list[tuple[str, list[int]]] = []
    for span in spans:
        complete = len(span.bins) // 4
        bins = _repair_group(span, number, work)
        number += complete
        if bins:
            repaired.append((tidy(span.class_name) if work.strip else span.class_name, bins))
    return format_spans(repaired) + rest, _remaining_lines(box_lines, number, work.drop)


def _repair_group(span: BoxSpan, first: int, work: _Work) -> list[int]:
    """Return the bins of one group whose first box has a number in its row; an incomplete box stays as it is."""
    bins: list[int] = []
    for start in range(0, len(span.bins), 4):
        box, number = span.bins[start : start + 4], first + start // 4
        complete = len(box) == 4
        if complete and number in work.drop:
            continue
        bins.extend(min(max(side, 0), BINS - 1) if complete and number in work.clip else side for side in box)
    return bins


def _remaining_lines(box_lines: str | None, boxes: int, dropped: set[int]) -> str | None:
    if pd.isna(box_lines):
        return None
    lines = box_lines.split()
    # Where there is not one line for each box, no line can be removed with its box.
    if len(lines) != boxes:
        return box_lines
    return " ".join(line for number, line in enumerate(lines) if number not in dropped)
