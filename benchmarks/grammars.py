"""What a grammar does to answers with boxes, and what it costs.

    python -m benchmarks.grammars --model runs/1 --data cards           # known classes
    python -m benchmarks.grammars --model builtin:nano --data cards     # classes that the model has never seen
    python -m benchmarks.grammars --model builtin:nano --data shapes

Printed for each grammar, greedy and sampled: mAP over the seeds, the mean difference to free answers with its standard
error, seeds paired; answers without a box, cut answers and groups that are not boxes, of all; and images a second of
processor time.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.scene_rows import box_rows, mean_average_precision
from benchmarks.stopwatch import Stopwatch
from florence2.codec.detections import Detections
from florence2.config import EvaluationConfig
from florence2.inference.generation import predict
from florence2.model.florence import Florence2
from florence2.model.named import load_named

__all__ = ["Outcome", "main", "measure"]

_GRAMMARS = ("off", "boxes", "classes")


@dataclass(frozen=True)
class Outcome:
    """The results of one grammar on one set of images.

    Attributes:
        average_precision: COCO's mAP.
        empty: answers without a box.
        truncated: answers that the length limit cut.
        malformed: groups that are not boxes.
        rate: images per second of processor time.
    """

    average_precision: float
    empty: int
    truncated: int
    malformed: int
    rate: float


def measure(florence2: Florence2, source: str, count: int, seed: int, options: dict[str, Any]) -> Outcome:
    """Answer images.

    Args:
        florence2: the model.
        source: see ``box_rows``.
        count: of images.
        seed: of the images.
        options: settings of the evaluation; the classes are added.
    """
    rows = box_rows(source, count, seed)
    config = EvaluationConfig(eval_batch_size=50, classes=rows.classes, **options)
    watch = Stopwatch()
    answers = list(predict(florence2, rows.samples, config))
    rate = count / watch.lap().cpu
    found = [answer.detections or Detections.empty() for answer in answers]
    return Outcome(
        mean_average_precision(found, rows.truths)["map"],
        sum(len(detections) == 0 for detections in found),
        sum(answer.truncated for answer in answers),
        sum(answer.malformed for answer in answers),
        rate,
    )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:nano", help="any model that florence2 predict accepts")
    parser.add_argument("--data", default="shapes", help="cards, shapes, or a data set")
    parser.add_argument("--images", type=int, default=300, help="of each seed")
    parser.add_argument("--seeds", type=int, default=6, help="how many, from 0; at least 2")
    parser.add_argument("--max-new-tokens", type=int, default=64)
    options = parser.parse_args()
    torch.set_num_threads(1)
    florence2 = load_named(options.model)
    print("| decoding | grammar | mAP | difference | empty | cut | malformed | images per CPU second |")
    print("|---|---|---|---|---|---|---|---|")
    for decoding, temperature in (("greedy", 0.0), ("sampled", 1.0)):
        shared = {"temperature": temperature, "max_new_tokens": options.max_new_tokens}
        # The grammars in turn for each seed, so that a busy machine is busy for all.
        runs = [
            {
                name: measure(florence2, options.data, options.images, seed, shared | {"grammar": name})
                for name in _GRAMMARS
            }
            for seed in range(options.seeds)
        ]
        for name in _GRAMMARS:
            print(f"| {decoding} | {name} | {_line([run[name] for run in runs], [run['off'] for run in runs])} |")


def _line(found: list[Outcome], free: list[Outcome]) -> str:
    values = [outcome.average_precision for outcome in found]
    differences = [value - other.average_precision for value, other in zip(values, free, strict=True)]
    error = statistics.stdev(differences) / len(differences) ** 0.5
    counts = [sum(getattr(outcome, name) for outcome in found) for name in ("empty", "truncated", "malformed")]
    rate = statistics.median(outcome.rate for outcome in found)
    spread = f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}"
    change = f"{statistics.fmean(differences):+.4f} ± {error:.4f}"
    return " | ".join([spread, change, *map(str, counts), f"{rate:.0f}"])


if __name__ == "__main__":
    main()
