"""Measure mean average precision against pycocotools, on detections in the numbers of COCO's validation set.

    OMP_NUM_THREADS=1 python -m benchmarks.map_speed

Both evaluate the same boxes. pycocotools starts from a COCO data set and a results list, as does ``coco_scores``; the
metric takes ``Detections`` image by image. The floor is what no program can leave out that works with numpy: to sort
the detections, and to compute the overlap of each with the true boxes of its image and class.
"""

from __future__ import annotations

import argparse
import contextlib
import copy
import io
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.coco_sized import Pairs, as_coco, coco_sized
from benchmarks.stopwatch import Spent, Stopwatch
from florence2.codec.detections import box_iou
from florence2.evaluation.metrics.coco import SCORE_NAMES, coco_scores
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric

__all__ = ["floor", "official_scores", "our_scores"]


def official_scores(dataset: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, float]:
    """Return the twelve scores of pycocotools, which writes into what it is given."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"info": {}, **dataset}
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(SCORE_NAMES, evaluation.stats.tolist(), strict=True))


def our_scores(pairs: Pairs) -> dict[str, float]:
    """Return the scores of the metric."""
    metric = MeanAveragePrecisionMetric()
    for prediction, truth in pairs:
        metric.update(prediction, truth)
    return metric.compute()


def floor(pairs: Pairs) -> None:
    """Sort all detections by image, class and score, and compute the overlaps that the matching needs."""
    image = np.repeat(np.arange(len(pairs)), [len(found) for found, _ in pairs])
    score = np.concatenate([found.confidence for found, _ in pairs if found.confidence is not None])
    numbers = {name: number for number, name in enumerate(sorted({n for _, truth in pairs for n in truth.class_name}))}
    category = np.array([numbers.get(name, -1) for found, _ in pairs for name in found.class_name])
    np.lexsort((score, category, image))
    counts = [Counter(truth.class_name) for _, truth in pairs]
    needed = sum(count[name] for count, (found, _) in zip(counts, pairs, strict=True) for name in found.class_name)
    boxes = np.random.default_rng(0).uniform(0, 640, (1, 4)).astype(np.float32)
    for start in range(0, needed, 1 << 16):
        box_iou(boxes, np.broadcast_to(boxes, (min(1 << 16, needed - start), 4)))


def _median(repeats: int, prepare: Callable[[], tuple[Any, ...]], run: Callable[..., Any]) -> tuple[Any, Spent]:
    """Return the last result and the medians by the clock and of the processor."""
    spent = []
    for _ in range(repeats):
        given = prepare()
        watch = Stopwatch()
        result = run(*given)
        spent.append(watch.lap())
    walls, cpus = zip(*spent, strict=True)
    return result, Spent(float(np.median(walls)), float(np.median(cpus)))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--repeats", type=int, default=5, help="runs of ours; the median counts")
    parser.add_argument("--official", type=int, default=3, help="runs of pycocotools; the median counts")
    arguments = parser.parse_args()
    pairs = coco_sized(arguments.images, truths=arguments.images * 36 // 5)
    coco = as_coco(pairs)
    truths, found = (sum(len(pair[side]) for pair in pairs) for side in (1, 0))
    print(f"{len(pairs):,} images, {truths:,} true boxes, {found:,} detections; seconds by the clock (processor)")
    official, theirs = _median(arguments.official, lambda: copy.deepcopy(coco), official_scores)
    scores: dict[str, dict[str, float]] = {}
    ours: dict[str, Spent] = {}
    evaluated, ours["coco_scores"] = _median(arguments.repeats, lambda: coco, coco_scores)
    scores["coco_scores"] = evaluated.scores
    scores["the metric"], ours["the metric"] = _median(arguments.repeats, lambda: (pairs,), our_scores)
    _, least = _median(arguments.repeats, lambda: (pairs,), floor)
    print(f"{'pycocotools':14}{theirs.wall:8.2f} ({theirs.cpu:.2f})")
    for name, spent in ours.items():
        difference = max(abs(scores[name].get(score, -1) - value) for score, value in official.items())
        print(
            f"{name:14}{spent.wall:8.2f} ({spent.cpu:.2f}), {theirs.wall / spent.wall:.1f} times as fast "
            f"({theirs.cpu / spent.cpu:.1f}), scores differ by {difference:.1e} at most"
        )
    print(f"{'floor':14}{least.wall:8.2f} ({least.cpu:.2f})")


if __name__ == "__main__":
    main()
