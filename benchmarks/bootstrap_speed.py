"""Measure the resampling of mean average precision, on detections in the numbers of COCO's validation set.

    OMP_NUM_THREADS=1 python -m benchmarks.bootstrap_speed

All twelve scores, and those of each class, on 1,000 resamples of the images. The floor is the memory traffic of a
count: to read one weight for each detection and resample. Then pycocotools evaluates copied images as the first
resample
has them, to show that the scores are equal.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.coco_sized import Pairs, as_coco, coco_sized
from benchmarks.map_speed import official_scores
from benchmarks.stopwatch import Stopwatch
from florence2.evaluation.bootstrap import bootstrap_intervals, resample
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric, rank_among_equals

__all__ = ["floor"]


def floor(pairs: Pairs, resamples: int) -> int:
    """Add up the weights of all detections in all resamples, some of both at a time so that they stay in the cache."""
    image = np.random.default_rng(0).permutation(np.repeat(np.arange(len(pairs)), [len(found) for found, _ in pairs]))
    weights = np.ones((64, len(pairs)), dtype=np.int64)
    total = 0
    for _ in range(0, resamples, len(weights)):
        for part in np.array_split(image, max(1, len(image) // 1_000)):
            total += int(weights.take(part, axis=1).sum())
    return total


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--resamples", type=int, default=1_000)
    arguments = parser.parse_args()
    # In the order in which equal scores rank, so that pycocotools meets the same order.
    pairs = sorted(
        coco_sized(arguments.images, truths=arguments.images * 36 // 5), key=lambda pair: rank_among_equals(*pair)
    )
    metric = MeanAveragePrecisionMetric()
    for prediction, truth in pairs:
        metric.update(prediction, truth)
    count = len(pairs)
    watch = Stopwatch()
    metric.compute()
    once = watch.lap()
    resamples = resample([metric], [np.arange(count)], arguments.resamples)
    spent = watch.lap()
    floor(pairs, arguments.resamples)
    least = watch.lap()
    print(f"{count:,} images, {arguments.resamples:,} resamples; seconds by the clock (processor)")
    print(f"the scores themselves {once.wall:8.1f} ({once.cpu:.1f})")
    print(f"resampled              {spent.wall:8.1f} ({spent.cpu:.1f})")
    print(f"floor                  {least.wall:8.1f} ({least.cpu:.1f})")
    for name, interval in bootstrap_intervals(resamples).scores.items():
        print(f"  {name:12}{resamples.scores[name].value:.4f}, {interval.low:.4f} to {interval.high:.4f}")
    first = np.random.default_rng(resamples.seed).multinomial(count, np.full(count, 1 / count), size=1)[0]
    copied = [pairs[index] for index in np.repeat(np.arange(count), first)]
    official = official_scores(*as_coco(copied))
    difference = max(abs(resamples.scores[name].resampled[0] - value) for name, value in official.items())
    print(f"first resample by pycocotools: scores differ by {difference:.1e} at most")


if __name__ == "__main__":
    main()
