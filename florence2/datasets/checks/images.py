"""The view ``images``: a row for each image file."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.datasets.checks.image_groups import image_contents
from florence2.datasets.checks.repetitions import later_split
from florence2.datasets.checks.view import Positions, View, codes_of, records, references
from florence2.datasets.manifest import DatasetManifest
from florence2.images import group_near_identical

__all__ = ["NearGroups", "images_view"]


class NearGroups:
    """Groups of near-identical images, found once however often a data set is looked at while it is mended.

    They hang on the images alone, and mending takes none away: a row that is dropped repeats another one, with the
    same image, of its split.
    """

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def of(self, signatures: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of each image's group, (n,).

        Args:
            signatures: of each image, none empty.
        """
        if not self._number.keys() >= set(signatures):
            self._number = dict(zip(signatures, group_near_identical(signatures).tolist(), strict=True))
        return np.array([self._number[text] for text in signatures], dtype=np.int64)


def images_view(manifest: DatasetManifest, groups: NearGroups) -> View:
    """Derive the columns about image files.

    Args:
        manifest: the data set.
        groups: which of its images are near-identical.
    """
    images = manifest.images
    image_of_row = np.asarray(pd.Index(images["image"]).get_indexer(pd.Index(manifest.table["image"])), dtype=np.int64)
    named = np.zeros(len(images), dtype=bool)
    named[image_of_row[image_of_row >= 0]] = True
    near = _near_leaks(manifest, image_of_row, groups)
    table = pd.DataFrame(
        {
            "mode": images["mode"],
            "orientation": images["orientation"],
            "unused": ~named,
            "nearly_leaks_to": references(near, near >= 0),
        }
    )

    def rows_of(positions: Positions) -> Positions:
        wanted = np.zeros(len(images), dtype=bool)
        wanted[positions] = True
        return np.flatnonzero((image_of_row >= 0) & wanted[image_of_row])

    return View("images", table, functools.partial(_describe, manifest, table), rows_of)


def _describe(manifest: DatasetManifest, table: pd.DataFrame, positions: Positions) -> list[dict[str, Any]]:
    told = []
    for position, image in zip(positions, records(manifest.images.iloc[positions]), strict=True):
        other = table["nearly_leaks_to"].iloc[position]
        row = None if pd.isna(other) else manifest.table.iloc[int(other)]
        here = {"row": len(manifest), "file": image["image"], "line": 0}
        there = (
            {"other": "", "other_split": ""} if row is None else {"other": row["image"], "other_split": row["split"]}
        )
        told.append(image | here | there)
    return told


def _near_leaks(manifest: DatasetManifest, image_of_row: NDArray[np.int64], groups: NearGroups) -> NDArray[np.int64]:
    """Find for each image a row of a later split with nearly, not exactly the same image; -1 if there is none."""
    found = np.full(len(manifest.images), -1)
    signatures = manifest.images["signature"].fillna("").to_numpy()
    splits = manifest.table["split"]
    rows = np.flatnonzero((image_of_row >= 0) & (splits != "").to_numpy(dtype=bool))
    rows = rows[signatures[image_of_row[rows]] != ""]
    # A row for each image of each split will do.
    rows = rows[~pd.DataFrame({"image": image_of_row[rows], "split": splits.to_numpy()[rows]}).duplicated().to_numpy()]
    if splits.iloc[rows].nunique() < 2:
        return found
    used, where = np.unique(image_of_row[rows], return_inverse=True)
    numbers = pd.factorize(groups.of(list(signatures[used]))[where])[0].astype(np.int64)
    near = later_split(splits.iloc[rows], numbers)
    exact = later_split(splits.iloc[rows], codes_of(image_contents(manifest).iloc[rows]))
    leaks = np.flatnonzero((near >= 0) & (exact < 0))
    found[image_of_row[rows[leaks]]] = rows[near[leaks]]
    return found
