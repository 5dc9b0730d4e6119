"""Statistics as one HTML page that needs no other file: no script, no font and no image of another host.

The layout is ``page.html``; here the statistics become the values that it shows.
"""

from __future__ import annotations

from dataclasses import dataclass

from florence2.datasets import (
    DISTANCE,
    FEATURES,
    SIGNIFICANCE,
    DatasetManifest,
    DatasetStatistics,
    DriftReport,
    Feature,
    FeatureDrift,
    PartStatistics,
)
from florence2.reports.statistics.plots import COLOURS, heat_map, histogram
from florence2.reports.statistics.samples import draw_samples
from florence2.reports.statistics.terminal import split_title
from florence2.reports.templates import render_template

__all__ = ["render_statistics"]

_LISTED_CLASSES = 50


@dataclass(frozen=True)
class _Plot:
    """A feature with its histogram as a data URI; ``drift`` where two sets are compared."""

    feature: Feature
    uri: str
    drift: FeatureDrift | None = None


def render_statistics(statistics: DatasetStatistics, manifest: DatasetManifest, drift: DriftReport | None) -> str:
    """Return the statistics of a data set as a self-contained HTML page.

    Args:
        statistics: of the data set.
        manifest: the data set, of which some random samples are shown.
        drift: the comparison with another data set; None if there is none.

    Returns:
        The page. All texts of users are escaped; the reason is in the frame of an image that cannot be read.
    """
    parts = {"all": statistics.overall} | {split_title(name): part for name, part in statistics.splits.items()}
    values = {
        "title": statistics.title,
        "parts": parts,
        "overall": statistics.overall,
        "tasks": list(statistics.overall.tasks.counts),
        "measured": [feature for name, feature in FEATURES.items() if statistics.overall.features[name].total],
        "classes": list(statistics.overall.classes.counts)[:_LISTED_CLASSES],
        "more_classes": max(len(statistics.overall.classes.counts) - _LISTED_CLASSES, 0),
        "most": max(statistics.overall.classes.counts.values(), default=1),
        "plots": _plots({split_title(name): part for name, part in statistics.splits.items()}),
        "legend": list(zip(map(split_title, statistics.splits), COLOURS, strict=False)),
        "heat": heat_map(statistics.overall.centres) if statistics.overall.features["box_x"].total else None,
        "samples": draw_samples(manifest),
        "drift": drift,
        "compared": _compared(drift),
        "bounds": {"distance": DISTANCE, "significance": SIGNIFICANCE},
        "colours": COLOURS,
    }
    return render_template("statistics/page.html", values)


def _plots(parts: dict[str, PartStatistics]) -> list[_Plot]:
    plots = []
    for name, feature in FEATURES.items():
        counts = {title: part.features[name].counts for title, part in parts.items()}
        if any(map(sum, counts.values())):
            plots.append(_Plot(feature, histogram(feature, counts)))
    return plots


def _compared(drift: DriftReport | None) -> list[_Plot]:
    if drift is None:
        return []
    ours, theirs = drift.reference.overall.features, drift.current.overall.features
    return [
        _Plot(
            FEATURES[each.name],
            histogram(FEATURES[each.name], {"current": theirs[each.name].counts, "reference": ours[each.name].counts}),
            each,
        )
        for each in drift.features
        if each.name in FEATURES and each.verdict != "absent"
    ]
