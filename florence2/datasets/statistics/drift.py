"""How much one data set differs from another, feature by feature, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from florence2.datasets.statistics.features import FEATURES
from florence2.datasets.statistics.summary import Categories, DatasetStatistics

__all__ = ["DISTANCE", "SIGNIFICANCE", "DriftReport", "FeatureDrift", "compare"]

DISTANCE = 0.134
"""Jensen-Shannon distance from which a difference matters.

It corresponds to the customary bound of 0.1 for the population stability index: for small differences the divergence in
nats is an eighth of the index, and the root of 0.1 / 8 / ln 2 is 0.134.
"""
SIGNIFICANCE = 0.001
"""A difference that chance makes at least so often does not count. With a dozen features about one in a hundred
comparisons of equal sets gives a false alarm."""

_DRAWS = 4999
_LARGEST_CATEGORIES = 50

Shares = NDArray[np.float64]


@dataclass(frozen=True)
class FeatureDrift:
    """One feature in both data sets.

    Attributes:
        name: "tasks", "classes" or a name of ``FEATURES``.
        title: its name for readers.
        verdict: drifted if the difference is large enough and not by chance; absent if one of the sets lacks the
            feature.
        distance: Jensen-Shannon distance, 0 (equal) to 1 (nothing in common); None if absent.
        p_value: how often chance alone makes such a difference; None if absent.
        reference_count: values in the reference.
        current_count: values in the current set.
    """

    name: str
    title: str
    verdict: Literal["stable", "drifted", "absent"]
    distance: float | None
    p_value: float | None
    reference_count: int
    current_count: int


@dataclass(frozen=True)
class DriftReport:
    """A data set against a reference.

    Attributes:
        reference: statistics of the reference, for plots.
        current: statistics of the set that is compared with it.
        added: classes that only the current set has, the most frequent first.
        removed: classes that only the reference has, the most frequent first.
        features: the features that at least one of the sets has.
    """

    reference: DatasetStatistics
    current: DatasetStatistics
    added: tuple[str, ...]
    removed: tuple[str, ...]
    features: tuple[FeatureDrift, ...]

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """The features that drifted."""
        return tuple(feature for feature in self.features if feature.verdict == "drifted")

    @property
    def verdict(self) -> Literal["stable", "drifted"]:
        """Drifted if a feature is."""
        return "drifted" if self.drifted else "stable"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        compared = sum(feature.verdict != "absent" for feature in self.features)
        if not compared:
            return "Nothing to compare: the data sets have no feature in common."
        if self.drifted:
            names = ", ".join(feature.title.lower() for feature in self.drifted)
            text = f"Drifted in {len(self.drifted)} of {compared} features: {names}."
        else:
            text = f"Stable: none of {compared} features differs by more than chance and enough to matter."
        if self.added or self.removed:
            changes = [
                f"{len(found)} {word}" for found, word in ((self.added, "added"), (self.removed, "removed")) if found
            ]
            text += f" Classes: {', '.join(changes)}."
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return verdicts and numbers as JSON values, without the statistics of both sets."""
        # The keys of the classes are those of the files that earlier versions wrote.
        return {
            "reference": self.reference.root,
            "current": self.current.root,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "classes": {"came": list(self.added), "went": list(self.removed)},
            "features": [asdict(feature) for feature in self.features],
        }


def compare(reference: DatasetStatistics, current: DatasetStatistics) -> DriftReport:
    """Compare two data sets by their statistics, all splits together.

    The measure is the Jensen-Shannon distance, the root of the divergence in bits (Lin, Divergence Measures Based on
    the Shannon Entropy, 1991; a metric by Endres and Schindelin, 2003). The population stability index would be
    infinite wherever only one of the sets has values, as with a class that was added.

    Small sets differ by chance, so a test of homogeneity is made as well: the chi-square statistic of the two
    histograms against that of histograms drawn from their mixture (Monte Carlo, seeded: right for small counts too).
    The draws have as many values as the sets have independent ones, not as many as they have boxes: boxes of one image
    are alike, and two photographs with hundreds of boxes are not hundreds of observations. See
    ``Distribution.independent``.

    Args:
        reference: what is known, such as the data that a model was trained on.
        current: the set that is compared with it.

    Returns:
        Features and verdicts. Added and removed classes are listed in any case; whether they are drift or the chance of
        a small sample is the verdict of "classes".
    """
    ours, theirs = reference.overall, current.overall
    found = [
        _categories("tasks", "Tasks", ours.tasks, theirs.tasks),
        _categories("classes", "Classes", ours.classes, theirs.classes),
    ]
    for name, feature in FEATURES.items():
        before, after = ours.features[name], theirs.features[name]
        sizes = before.independent, after.independent
        found.append(_feature_drift(name, feature.title, before.counts, after.counts, sizes))
    return DriftReport(
        reference=reference,
        current=current,
        added=tuple(name for name in theirs.classes.counts if name not in ours.classes.counts),
        removed=tuple(name for name in ours.classes.counts if name not in theirs.classes.counts),
        features=tuple(drift for drift in found if drift.reference_count or drift.current_count),
    )


def _categories(name: str, title: str, before: Categories, after: Categories) -> FeatureDrift:
    """Compare names: each of the most frequent, and all others as one."""
    both = {*before.counts, *after.counts}
    share = {
        each: before.counts.get(each, 0) / max(before.total, 1) + after.counts.get(each, 0) / max(after.total, 1)
        for each in both
    }
    largest = sorted(both, key=lambda each: (-share[each], each))[:_LARGEST_CATEGORIES]
    counts = []
    for categories in (before, after):
        own = [categories.counts.get(each, 0) for each in largest]
        counts.append([*own, categories.total - sum(own)])
    return _feature_drift(name, title, counts[0], counts[1], (before.independent, after.independent))


def _feature_drift(
    name: str, title: str, before: Sequence[int], after: Sequence[int], independent: tuple[float, float]
) -> FeatureDrift:
    totals = sum(before), sum(after)
    if not all(totals):
        return FeatureDrift(name, title, "absent", None, None, *totals)
    ours, theirs = np.array(before) / totals[0], np.array(after) / totals[1]
    distance, p_value = _distance(ours, theirs), _p_value(ours, theirs, independent)
    drifted = distance >= DISTANCE and p_value < SIGNIFICANCE
    return FeatureDrift(name, title, "drifted" if drifted else "stable", distance, p_value, *totals)


def _distance(ours: Shares, theirs: Shares) -> float:
    """Return the Jensen-Shannon distance of two rows of shares."""
    middle = (ours + theirs) / 2
    divergence = 0.0
    for shares in (ours, theirs):
        some = shares > 0
        divergence += float((shares[some] * np.log2(shares[some] / middle[some])).sum()) / 2
    return float(np.sqrt(np.clip(divergence, 0.0, 1.0)))


def _p_value(ours: Shares, theirs: Shares, independent: tuple[float, float]) -> float:
    """Return how often two draws from the mixture of both differ at least as much."""
    sizes = max(1, round(independent[0])), max(1, round(independent[1]))
    mixture = (sizes[0] * ours + sizes[1] * theirs) / sum(sizes)
    rng = np.random.default_rng(0)
    drawn = [rng.multinomial(size, mixture, size=_DRAWS) / size for size in sizes]
    reached = _chi_square(drawn[0], drawn[1], sizes) >= _chi_square(ours, theirs, sizes) - 1e-9
    return float((1 + reached.sum()) / (1 + _DRAWS))


def _chi_square(ours: Shares, theirs: Shares, sizes: tuple[int, int]) -> Shares:
    """Return the statistic of two histograms (..., k) of some sizes, given as shares."""
    mixture = (sizes[0] * ours + sizes[1] * theirs) / sum(sizes)
    squares = (ours - theirs) ** 2 / np.where(mixture > 0, mixture, 1.0)
    statistic: Shares = squares.sum(axis=-1) * (sizes[0] * sizes[1] / sum(sizes))
    return statistic
