"""Edges of histograms and short numbers."""

from __future__ import annotations

import pytest

from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.features import FEATURES, compact
from florence2.datasets.statistics.summary import DatasetStatistics
from tests.builders import manifest

BOX = "<loc_0><loc_0><loc_250><loc_250>"


def bins_of(statistics: DatasetStatistics, name: str) -> dict[float, int]:
    """Return the counts of the bins that are not empty, by their lower edge."""
    counts = statistics.overall.features[name].counts
    return {edge: count for edge, count in zip(FEATURES[name].edges[:-1], counts, strict=True) if count}


def test_edges_rise() -> None:
    for name, feature in FEATURES.items():
        assert feature.name == name
        assert list(feature.edges) == sorted(set(feature.edges))


@pytest.mark.parametrize(("value", "text"), [(0.12345, "0.123"), (7.0, "7"), (99.96, "100"), (1234.5, "1234")])
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert compact(value) == text


def test_values_beyond_the_edges_count_in_the_outer_bins() -> None:
    found = compute_statistics(
        manifest({"width": 100_000, "height": 1, "suffix": f"cat{BOX}"}, images={"train/1.png": {"brightness": 1.0}})
    )
    assert bins_of(found, "image_width") == {FEATURES["image_width"].edges[-2]: 1}
    assert bins_of(found, "box_aspect") == {FEATURES["box_aspect"].edges[-2]: 1}
    assert bins_of(found, "brightness") == {0.95: 1}
    assert found.overall.features["image_width"].maximum == 100_000
