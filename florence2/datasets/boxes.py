"""The complete boxes in the answers of a data set, taken out once for all who need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from florence2.codec import AnswerKind, LocationScan
from florence2.datasets.manifest import DatasetManifest

__all__ = ["Boxes", "boxes_of", "tidy"]


@dataclass(frozen=True)
class Boxes:
    """The complete boxes of a manifest, b in all, in the order of the rows.

    Attributes:
        row: int64 (b,), the row of the manifest.
        number: int64 (b,), which box of its row it is, counted from 0.
        bins: int64 (b, 4), x_min, y_min, x_max, y_max; outside 0..999 where a box leaves its image.
        name: int64 (b,), the class by its index in ``names``.
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
    """Return the complete boxes of scanned answers.

    Args:
        manifest: the data set.
        scan: the scan of its suffixes.
    """
    tokens = manifest.tasks.tokens_of(AnswerKind.BOXES)
    labelled = (manifest.table["task"].isin(tokens) & manifest.table["line_error"].isna()).to_numpy(dtype=bool)
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
