"""Histograms and the map of box centres."""

from __future__ import annotations

import base64

from florence2.datasets.statistics.features import FEATURES
from florence2.reports.statistics.plots import heat_map, histogram


def svg(uri: str) -> str:
    kind, _, content = uri.partition(",")
    assert kind == "data:image/svg+xml;base64"
    return base64.b64decode(content).decode()


def test_plots_are_the_same_each_time() -> None:
    feature = FEATURES["objects"]
    counts = {"train": list(range(14)), "test": [0] * 14}
    assert histogram(feature, counts) == histogram(feature, counts)
    assert histogram(feature, counts) != histogram(feature, counts | {"test": [1] * 14})


def test_a_map_is_the_same_each_time_and_differs_with_the_counts() -> None:
    empty = [[0] * 10 for _ in range(10)]
    one = [[1, *[0] * 9], *empty[1:]]
    assert "<svg" in svg(heat_map(one))
    assert heat_map(one) == heat_map(one) != heat_map(empty)


def test_a_histogram_without_values_is_an_empty_plot() -> None:
    feature = FEATURES["objects"]
    assert "<svg" in svg(histogram(feature, {"train": [0] * (len(feature.edges) - 1)}))
