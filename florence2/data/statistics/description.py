"""What is kept of a split data set for people to look at: its statistics, and whether its splits are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from florence2.data.manifest import DatasetManifest
from florence2.data.statistics import DatasetStatistics, compare, compute_statistics, render_page

__all__ = ["Description", "describe"]


@dataclass(frozen=True)
class Description:
    """A data set in figures and as a page.

    Attributes:
        statistics: of each split and of all.
        drift: how far the test split is from the training split, as ``DriftReport.to_dict`` says it.
        html: both, with plots and samples, as one page that needs nothing else.
    """

    statistics: DatasetStatistics
    drift: Mapping[str, Any]
    html: str


def describe(manifest: DatasetManifest) -> Description:
    """Describe a data set, and compare its test split with its training split.

    Args:
        manifest: split rows; their pictures are opened for the samples on the page.
    """
    statistics = compute_statistics(manifest)
    train, test = (compute_statistics(manifest.select(split)) for split in ("train", "test"))
    drift = compare(train, test)
    return Description(statistics, drift.to_dict(), render_page(statistics, manifest, drift))
