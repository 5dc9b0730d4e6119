"""How far a score may be off, and whether one model is better than another: the bootstrap over images.

The images of the split are drawn from those that the model will meet. A resample draws as many images from the split
with replacement, and every score is computed again for it; the scores vary between resamples about as they would vary
between splits. All samples of an image, such as several questions, are drawn together, because they are not
independent. Two models are compared on the same resamples, so that the difficulty of an image cancels out.

The interval is the percentile interval, shifted by the bias of the resamples. A mean has no bias, and its interval
is not shifted. Mean average precision has one: the fewer true boxes a class has, the higher its precision, and a
resample has fewer different boxes than the split. So mAP of a small split is larger than that of a
large one, and the interval is that of the score of splits *of this size*. ``benchmarks.interval_coverage``
measures how often it does. Compare models on the same split, never scores of splits of different sizes.

The interval cannot show what the split does not contain: with fewer than about 30 images it is too narrow, and a score
that is the same on every image, such as that of a model that is always right, has an interval of width 0. A
resample that does not define a score, such as the precision of a class none of whose images was drawn, is left out.

The accelerated interval (BCa) is not used: it needs every score again without each image, for 5,000 images five times
the work of 1,000 resamples, and its correction is not defined where all resamples are above the score, which happens
to mAP.

Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapters 6, 10 and 13; the paired comparison is
the bootstrap of a difference, as in Koehn, Statistical Significance Tests for Machine Translation Evaluation (2004).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from florence2.errors import ConfigurationError
from florence2.evaluation.metrics.metric import Metric
from florence2.evaluation.scores import score_named

__all__ = [
    "Comparison",
    "Comparisons",
    "Interval",
    "Intervals",
    "Resampled",
    "Resamples",
    "bootstrap_intervals",
    "paired_comparison",
    "resample",
]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_WEIGHTS_IN_MEMORY = 1 << 22
"""Weights of samples in memory at a time: 32 MB."""


@dataclass(frozen=True)
class Interval:
    """The confidence interval of a score, or of a difference of two.

    Attributes:
        low: lower end.
        high: upper end.
        level: share of splits of this size whose interval contains their mean score, in 0..1.
    """

    low: float
    high: float
    level: float = 0.95


@dataclass(frozen=True)
class Intervals:
    """The intervals of a model.

    Attributes:
        scores: of each score that is defined.
        per_class: of the scores of each class, by its name.
    """

    scores: dict[str, Interval] = field(default_factory=dict)
    per_class: dict[str, dict[str, Interval]] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """One score of two models on the same images.

    Attributes:
        difference: the score of the second model minus that of the first.
        interval: where the difference may lie.
        probability_better: share of resamples in which the second model is better, in 0..1; one in which both are
            equal counts half. For an error rate, better is smaller.
    """

    difference: float
    interval: Interval
    probability_better: float


@dataclass(frozen=True)
class Comparisons:
    """The second of two models compared with the first.

    Attributes:
        scores: of each score that both have.
        per_class: of the scores of each class, by its name.
    """

    scores: dict[str, Comparison] = field(default_factory=dict)
    per_class: dict[str, dict[str, Comparison]] = field(default_factory=dict)


@dataclass(frozen=True)
class Resampled:
    """A score on the split and on r resamples of it.

    Attributes:
        value: on the split.
        resampled: values (r,), NaN where a resample does not define the score.
    """

    value: float
    resampled: Floats


@dataclass(frozen=True)
class Resamples:
    """The scores of a model.

    Attributes:
        images: number of images.
        seed: of the resamples.
        scores: by name.
        per_class: the scores of each class, by its name.
    """

    images: int
    seed: int
    scores: dict[str, Resampled]
    per_class: dict[str, dict[str, Resampled]]


def resample(
    metrics: Sequence[Metric[Any, Any]], units: Sequence[Ints], resamples: int = 1_000, seed: int = 0
) -> Resamples:
    """Compute the scores of metrics on resamples of the images.

    Memory: 32 MB of weights for one metric at a time, or the weights of one resample where the split is so large that
    they are more; and the memory of the metric itself.

    Args:
        metrics: updated with all samples.
        units: for each metric the number (n,) of the image of each of its n samples, in the order of the updates; the
            images of all metrics are numbered together from 0.
        resamples: number of resamples r.
        seed: of the random numbers; equal numbers of images and equal seeds give equal resamples.

    Returns:
        The scores; none where there are fewer than two images, for one image does not show how images differ.
    """
    images = 1 + max((int(unit.max(initial=-1)) for unit in units), default=-1)
    scores: dict[str, Resampled] = {}
    per_class: dict[str, dict[str, Resampled]] = {}
    if images < 2 or resamples < 1:
        return Resamples(images, seed, scores, per_class)
    for metric, unit in zip(metrics, units, strict=True):
        blocks = [
            (metric.resampled(weights), metric.resampled_per_class(weights))
            for weights in _weights(unit, images, resamples, seed)
        ]
        scores |= _joined(metric.compute(), [block for block, _ in blocks])
        for label, values in metric.per_class().items():
            of_class = _joined(values, [block.get(label, {}) for _, block in blocks])
            per_class.setdefault(label, {}).update(of_class)
    return Resamples(images, seed, scores, per_class)


def bootstrap_intervals(resamples: Resamples, level: float = 0.95) -> Intervals:
    """Return the interval of each score.

    Args:
        resamples: of the model.
        level: share of splits whose interval contains their mean score.
    """
    return Intervals(
        _intervals(resamples.scores, level),
        {label: _intervals(scores, level) for label, scores in resamples.per_class.items()},
    )


def paired_comparison(before: Resamples, after: Resamples, level: float = 0.95) -> Comparisons:
    """Compare two models, each score on the same resamples.

    Args:
        before: of the first model.
        after: of the second, on the same samples in the same order.
        level: share of splits whose interval contains their mean difference.

    Raises:
        ConfigurationError: the resamples are of different numbers of images, or of different seeds.
    """
    if (before.images, before.seed) != (after.images, after.seed):
        raise ConfigurationError(
            f"resamples of {before.images} images with seed {before.seed} and of {after.images} images with seed "
            f"{after.seed} are not paired; evaluate both models on the same split and resample it with the same seed"
        )
    return Comparisons(
        _comparisons(before.scores, after.scores, level),
        {
            label: _comparisons(before.per_class.get(label, {}), scores, level)
            for label, scores in after.per_class.items()
        },
    )


def _weights(unit: Ints, images: int, resamples: int, seed: int) -> Iterator[Ints]:
    """Yield how often each sample counts, (block, n), for some of the resamples at a time."""
    random = np.random.default_rng(seed)
    block = max(1, _WEIGHTS_IN_MEMORY // max(images, len(unit)))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        yield random.multinomial(images, np.full(images, 1 / images), size=size).take(unit, axis=1)


def _joined(values: Mapping[str, float], blocks: Sequence[Mapping[str, Floats]]) -> dict[str, Resampled]:
    """Return the scores that are defined on the split and can be resampled."""
    return {
        name: Resampled(value, np.concatenate([block[name] for block in blocks]))
        for name, value in values.items()
        if name in blocks[0]
    }


def _intervals(scores: Mapping[str, Resampled], level: float) -> dict[str, Interval]:
    """Return the intervals of scores, none of which can be negative; those that are shares end at 1."""
    intervals = {}
    for name, score in scores.items():
        values = _centred(score.resampled, score.value)
        if len(values):
            low, high = _ends(values, level)
            most = max(1.0, float(np.nanmax(score.resampled)))
            intervals[name] = Interval(max(low, 0.0), min(high, most), level)
    return intervals


def _comparisons(
    before: Mapping[str, Resampled], after: Mapping[str, Resampled], level: float
) -> dict[str, Comparison]:
    comparisons = {}
    for name in (name for name in after if name in before):
        difference = after[name].value - before[name].value
        differences = _centred(after[name].resampled - before[name].resampled, difference)
        if len(differences):
            gains = differences if score_named(name).higher_is_better else -differences
            # Rounding errors are not gains: two ways to a perfect score differ by 1e-16.
            better = (np.sign(gains.round(9)).mean() + 1) / 2
            comparisons[name] = Comparison(difference, Interval(*_ends(differences, level), level), float(better))
    return comparisons


def _centred(resampled: Floats, value: float) -> Floats:
    """Return the resamples that are defined, shifted so that their mean is the value on the split.

    They are not shifted if the bias is no larger than the chance of so many draws explains: the score is then a mean,
    which has no bias, and a share keeps its steps.
    """
    defined = resampled[~np.isnan(resampled)]
    if not len(defined):
        return defined
    bias = defined.mean() - value
    return defined - bias if abs(bias) > 3 * defined.std() / np.sqrt(len(defined)) + 1e-9 else defined


def _ends(values: Floats, level: float) -> tuple[float, float]:
    """Return the quantiles between which a share ``level`` of the values lies."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
