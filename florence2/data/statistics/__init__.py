"""What a data set looks like in numbers, and how much it differs from another one."""

from __future__ import annotations

from florence2.data.statistics.compute import compute_statistics
from florence2.data.statistics.drift import DriftReport, compare
from florence2.data.statistics.page import render_page
from florence2.data.statistics.summary import DatasetStatistics
from florence2.data.statistics.terminal import drift_tables, statistics_tables

__all__ = [
    "DatasetStatistics",
    "DriftReport",
    "compare",
    "compute_statistics",
    "drift_tables",
    "render_page",
    "statistics_tables",
]
