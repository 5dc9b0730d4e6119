"""Measure how often the 95 % intervals hold what they should.

    OMP_NUM_THREADS=1 python -m benchmarks.interval_coverage

From a pool of generated images, many splits are drawn, and two models are evaluated on each: the second lacks a tenth
of the detections of the first. An interval should hold the mean over all splits of its size, 95 times in 100. The
result also has how often it holds the score of the whole pool, and the mean of the scores: mAP falls with the number of
images.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.coco_sized import Pairs, coco_sized
from florence2.codec.detections import Detections
from florence2.evaluation.bootstrap import Interval, Resamples, bootstrap_intervals, paired_comparison, resample
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric

__all__ = ["coverage"]

_SCORES = ("map", "map50")


def coverage(intervals: Sequence[Interval], value: float) -> float:
    """Return the share of the intervals that hold a value."""
    return float(np.mean([interval.low <= value <= interval.high for interval in intervals]))


def _metric(pairs: Pairs) -> MeanAveragePrecisionMetric:
    metric = MeanAveragePrecisionMetric()
    for prediction, truth in pairs:
        metric.update(prediction, truth)
    return metric


def _worse(pairs: Pairs, seed: int) -> Pairs:
    """Return the pairs with a tenth of the detections left out."""
    random = np.random.default_rng(seed)
    worse = []
    for found, truth in pairs:
        kept = np.flatnonzero(random.random(len(found)) < 0.9)
        names = tuple(found.class_name[index] for index in kept)
        score = None if found.confidence is None else found.confidence[kept]
        worse.append((Detections(found.xyxy[kept], names, score), truth))
    return worse


def _report(pool: Pairs, worse: Pairs, size: int, splits: int, resamples: int) -> None:
    random = np.random.default_rng(size)
    evaluated: list[tuple[Resamples, Resamples]] = []
    for seed in range(splits):
        chosen: NDArray[np.int64] = random.choice(len(pool), size, replace=False)
        first, second = (
            resample([_metric([pairs[index] for index in chosen])], [np.arange(size)], resamples, seed)
            for pairs in (worse, pool)
        )
        evaluated.append((first, second))
    whole, lacking = _metric(pool).compute(), _metric(worse).compute()
    for name in _SCORES:
        mean = float(np.mean([after.scores[name].value for _, after in evaluated]))
        intervals = [bootstrap_intervals(after).scores[name] for _, after in evaluated]
        compared = [paired_comparison(before, after).scores[name] for before, after in evaluated]
        difference = float(np.mean([each.difference for each in compared]))
        differences = [each.interval for each in compared]
        print(
            f"  {size:4} images, {name:5}: mean {mean:.3f} held by {coverage(intervals, mean):4.0%}, "
            f"pool {whole[name]:.3f} by {coverage(intervals, whole[name]):4.0%}; "
            f"difference {difference:.3f} held by {coverage(differences, difference):4.0%}, "
            f"pool {whole[name] - lacking[name]:.3f} by {coverage(differences, whole[name] - lacking[name]):4.0%}"
        )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--classes", type=int, nargs="*", default=[3, 16])
    parser.add_argument("--sizes", type=int, nargs="*", default=[40, 150, 500])
    parser.add_argument("--splits", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=200)
    arguments = parser.parse_args()
    for classes in arguments.classes:
        print(f"{classes} classes, {arguments.splits} splits, {arguments.resamples} resamples of each")
        pool = coco_sized(6_000, classes, truths=24_000, found=20, seed=1)
        worse = _worse(pool, seed=2)
        for size in arguments.sizes:
            _report(pool, worse, size, arguments.splits, arguments.resamples)


if __name__ == "__main__":
    main()
