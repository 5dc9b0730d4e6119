"""The view ``boxes``: a row for each complete box in the answers of tasks that name boxes."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.codec import BINS, LocationScan, format_spans
from florence2.datasets.checks.overlaps import find_same_boxes
from florence2.datasets.checks.regions import in_pixels
from florence2.datasets.checks.rows import LABELLED
from florence2.datasets.checks.view import Positions, RuleBounds, View, references
from florence2.datasets.manifest import DatasetManifest

__all__ = ["Boxes", "boxes_of", "boxes_view", "tidy"]

_SIDES = ("x_min", "y_min", "x_max", "y_max")


@dataclass(frozen=True)
class Boxes:
    """The complete boxes of a manifest, b in all, in the order of the rows.

    Attributes:
        row: int64 (b,), the row of the manifest.
        number: int64 (b,), which box of its row it is, counted from 0.
        bins: int64 (b, 4), x_min, y_min, x_max, y_max; outside 0..999 where a box leaves its image.
        name: int64 (b,), the class by its place in ``names``.
        names: the distinct class names as they are written.
    """

    row: NDArray[np.int64]
    number: NDArray[np.int64]
    bins: NDArray[np.int64]
    name: NDArray[np.int64]
    names: list[str]


def tidy(name: str) -> str:
    """Return a class name without blanks at its ends and with single ones inside; unusual blanks become usual."""
    return " ".join(name.split())


def boxes_of(manifest: DatasetManifest, scan: LocationScan) -> Boxes:
    """Take the boxes out of scanned answers.

    Args:
        manifest: the data set.
        scan: of its suffixes.
    """
    labelled = (manifest.table["task"].isin(LABELLED) & manifest.table["line_error"].isna()).to_numpy(dtype=bool)
    groups = np.flatnonzero(labelled[scan.group_text] & (scan.group_size >= 4))
    counts = scan.group_size[groups] // 4
    ends = np.cumsum(counts)
    within = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    token = np.repeat(scan.group_start[groups], counts) + 4 * within
    row = np.repeat(scan.group_text[groups], counts)
    encoded = scan.names.take(groups).dictionary_encode()
    codes = np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64)
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    number = np.arange(len(row)) - np.repeat(starts, np.diff(np.append(starts, len(row))))
    bins = scan.bins[token[:, None] + np.arange(4)]
    return Boxes(row, number, bins, np.repeat(codes, counts), encoded.dictionary.to_pylist())


def boxes_view(manifest: DatasetManifest, boxes: Boxes, settings: RuleBounds) -> View:
    """Derive the columns about boxes.

    Args:
        manifest: the data set.
        boxes: its boxes.
        settings: bounds of the rules.
    """
    x_min, y_min, x_max, y_max = boxes.bins.T
    side = np.minimum(x_max - x_min, y_max - y_min)
    from_coordinates = manifest.table["box_lines"].notna().to_numpy()[boxes.row]
    tidied = pd.factorize(pd.Series([tidy(name) for name in boxes.names], dtype="string"))[0]
    nameless = np.array([not name.strip() for name in boxes.names], dtype=bool)
    same, nearly = find_same_boxes(boxes.row, tidied[boxes.name], boxes.bins, settings.near_iou)
    table = pd.DataFrame(
        {
            "class_missing": nameless[boxes.name],
            "outside": from_coordinates & ((boxes.bins < 0) | (boxes.bins >= BINS)).any(axis=1),
            "inverted": side < 0,
            "empty": side == 0,
            "tiny": (side > 0) & (side < settings.tiny_box),
            "same_as": references(same, same >= 0),
            "nearly_same_as": references(nearly, nearly >= 0),
        }
    )
    describe = functools.partial(_describe, manifest, boxes, table)
    return View("boxes", table, describe, lambda positions: np.unique(boxes.row[positions]))


def _describe(
    manifest: DatasetManifest, boxes: Boxes, table: pd.DataFrame, positions: Positions
) -> list[dict[str, Any]]:
    """Tell about some boxes what the messages of the box rules need."""
    told = []
    for position in positions.tolist():
        row = manifest.table.iloc[int(boxes.row[position])]
        name, bins = boxes.names[boxes.name[position]], boxes.bins[position].tolist()
        other = table["same_as"].iloc[position]
        other = table["nearly_same_as"].iloc[position] if pd.isna(other) else other
        measures = _measures(row, bins)
        told.append(
            {
                "row": int(boxes.row[position]),
                "file": row["file"],
                "line": _line(row, int(boxes.number[position])),
                "image": row["image"],
                "box": format_spans([(name, bins)]),
                "written": _written(row, name, bins, measures),
                "leaves": _leaves(row, bins, measures),
                "order": _order(measures),
                "side": min(bins[2] - bins[0], bins[3] - bins[1]),
                "other": "" if pd.isna(other) else _other(row, int(boxes.number[int(other)])),
            }
        )
    return told


def _line(row: Any, number: int) -> int:
    lines = _box_lines(row)
    return lines[number] if number < len(lines) else int(row["line"])


def _box_lines(row: Any) -> list[int]:
    return [] if pd.isna(row["box_lines"]) else [int(line) for line in row["box_lines"].split()]


def _other(row: Any, number: int) -> str:
    lines = _box_lines(row)
    return f"the box in line {lines[number]}" if len(set(lines)) > 1 else f"box {number + 1} of this answer"


def _measures(row: Any, bins: list[int]) -> list[float]:
    """Return a box in the unit in which the user wrote it: bins, or about as many pixels."""
    if pd.isna(row["box_lines"]):
        return [float(number) for number in bins]
    return in_pixels(row, bins)


def _written(row: Any, name: str, bins: list[int], measures: list[float]) -> str:
    if pd.isna(row["box_lines"]):
        tokens = format_spans([("", bins)])
        return f"{name.strip()!r} with {tokens}" if name.strip() else tokens
    corners = ", ".join(f"{side} {value:g}" for side, value in zip(_SIDES, measures, strict=True))
    return f"{name!r} of {row['image']!r} at about {corners}"


def _order(measures: list[float]) -> str:
    x_min, y_min, x_max, y_max = measures
    return f"x_min {x_min:g} > x_max {x_max:g}" if x_min > x_max else f"y_min {y_min:g} > y_max {y_max:g}"


def _leaves(row: Any, bins: list[int], measures: list[float]) -> str:
    """Say by which sides a box leaves its image."""
    beyond = [
        f"{side} is about {value:g}"
        for side, number, value in zip(_SIDES, bins, measures, strict=True)
        if not 0 <= number < BINS
    ]
    return f"{' and '.join(beyond)}, the image has {row['width']} x {row['height']} pixels"
