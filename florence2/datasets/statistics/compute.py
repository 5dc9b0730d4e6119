"""From a manifest to its statistics: the observations of each split, counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.datasets.manifest import SPLITS, DatasetManifest
from florence2.datasets.statistics.features import FEATURES
from florence2.datasets.statistics.observations import Names, Observations, Values, observe
from florence2.datasets.statistics.summary import (
    HEAT_CELLS,
    Categories,
    DatasetStatistics,
    Distribution,
    PartStatistics,
)

__all__ = ["compute_statistics"]

Flags = NDArray[np.bool_]
Codes = NDArray[np.int64]


def compute_statistics(manifest: DatasetManifest) -> DatasetStatistics:
    """Describe a data set in numbers; no image is opened.

    Args:
        manifest: the data set, also with rows and images that could not be read.

    Returns:
        Counts and histograms of the whole set and of each split.
    """
    observed = observe(manifest)
    image = np.asarray(pd.factorize(manifest.table["image"])[0], dtype=np.int64)
    everything = np.ones(len(manifest), dtype=bool)
    parts = {
        split: (manifest.table["split"] == split).to_numpy(dtype=bool)
        for split in (*SPLITS, "")
        if split in manifest.splits or (not split and bool((manifest.table["split"] == "").any()))
    }
    return DatasetStatistics(
        root=manifest.name,
        overall=_part(manifest, observed, image, everything),
        splits={split: _part(manifest, observed, image, rows) for split, rows in parts.items()},
    )


def _part(manifest: DatasetManifest, observed: Observations, image: Codes, rows: Flags) -> PartStatistics:
    """Count the observations of some rows."""
    unreadable = manifest.table["line_error"].notna().to_numpy(dtype=bool)
    named = (manifest.table["image"] != "").to_numpy(dtype=bool)
    return PartStatistics(
        rows=int(rows.sum()),
        unreadable_rows=int((rows & unreadable).sum()),
        images=int((np.bincount(image[rows & named]) > 0).sum()),
        tasks=_categories(observed.tasks, image, rows),
        classes=_categories(observed.classes, image, rows),
        centres=_centres(observed.features["box_x"], observed.features["box_y"], rows),
        features={
            name: _distribution(feature.edges, observed.features[name], image, rows)
            for name, feature in FEATURES.items()
        },
    )


def _distribution(edges: tuple[float, ...], observed: Values, image: Codes, rows: Flags) -> Distribution:
    chosen = rows[observed.row]
    values = observed.values[chosen]
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    counts = tuple(np.bincount(bins, minlength=len(edges) - 1).tolist())
    independent = _independent(image[observed.row[chosen]])
    if not len(values):
        return Distribution(counts, independent, None, None, None)
    return Distribution(counts, independent, float(values.min()), float(np.median(values)), float(values.max()))


def _categories(observed: Names, image: Codes, rows: Flags) -> Categories:
    chosen = rows[observed.row]
    counts = np.bincount(observed.code[chosen], minlength=len(observed.names))
    named = sorted(zip(observed.names, counts.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0]))
    return Categories(
        {name: count for name, count in named if count},
        _independent(image[observed.row[chosen]]),
    )


def _centres(across: Values, down: Values, rows: Flags) -> tuple[tuple[int, ...], ...]:
    chosen = rows[across.row]
    edges = np.linspace(0, 1, HEAT_CELLS + 1)
    counts = np.histogram2d(down.values[chosen], across.values[chosen], bins=(edges, edges))[0]
    return tuple(tuple(int(count) for count in line) for line in counts)


def _independent(image: Codes) -> float:
    """Return how many independent observations some observations are worth at least.

    Boxes of one image are alike: they show one scene, under one light. In the worst case the second box of an image
    adds no information; n observations in images of m_1, m_2, ... are then worth n^2 / (m_1^2 + m_2^2 + ...), Kish's
    effective sample size (Survey Sampling, 1965, with an intraclass correlation of 1): the number of images if all
    have the same number, less if a few have most of them.

    Args:
        image: the image of each observation.
    """
    sizes = np.bincount(image).astype(np.float64) if len(image) else np.zeros(1)
    squares = float((sizes**2).sum())
    return len(image) ** 2 / squares if squares else 0.0
