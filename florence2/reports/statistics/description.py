"""What is kept of a split data set for people to read: its statistics, and whether its splits are alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from florence2.datasets import DatasetManifest, DatasetStatistics, compare, compute_statistics
from florence2.reports.statistics.page import render_statistics

__all__ = ["Description", "describe"]


@dataclass(frozen=True)
class Description:
    """A data set in numbers and as a page.

    Attributes:
        statistics: of each split and of all.
        drift: how far the set is from its reference, or else its test split from its training split, as
            ``DriftReport.to_dict`` returns it.
        html: both, with plots and samples, as one page that needs nothing else.
    """

    statistics: DatasetStatistics
    drift: Mapping[str, Any]
    html: str


def describe(manifest: DatasetManifest, reference: DatasetManifest | None = None) -> Description:
    """Describe a data set, and compare it with a reference; without one, its test split with its training split.

    Args:
        manifest: split rows; their images are opened for the samples on the page.
        reference: another data set, such as that of the last model.
    """
    statistics = compute_statistics(manifest)
    if reference is None:
        before, after = statistics.only("train"), statistics.only("test")
    else:
        before, after = compute_statistics(reference), statistics
    drift = compare(before, after)
    return Description(statistics, drift.to_dict(), render_statistics(statistics, manifest, drift))
