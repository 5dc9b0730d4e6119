"""Which formula of token probabilities ranks boxes best, and which overlap makes two boxes of a class one.

    florence2 train --dataset=builtin:cards --epochs=10 --batch-size=8 --output runs
    python -m benchmarks.score_formulas --model runs/1 --data cards
    python -m benchmarks.score_formulas --model builtin:nano --data shapes

All formulas see the same answers. Printed is mAP (and mAP50) over the seeds, mean and standard deviation, and the mean
difference to the formula in use with its standard error, seeds paired.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.scene_rows import box_rows, mean_average_precision
from florence2.codec.detections import Detections
from florence2.config import EvaluationConfig
from florence2.inference.generation import Predictor
from florence2.inference.scoring import GeneratedBox, TokenReader, read_boxes, score_detections, suppress_duplicates
from florence2.model.florence import Florence2
from florence2.model.named import load_named

__all__ = ["FORMULAS", "main", "variants"]

Formula = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def _geometric(values: NDArray[np.float64]) -> float:
    return float(np.exp(np.log(np.maximum(values, 1e-12)).mean()))


IN_USE = "class, mean"

FORMULAS: dict[str, Formula] = {
    "all equal": lambda _c, _p: 1.0,
    IN_USE: lambda c, _p: float(c.mean()),
    "class, minimum": lambda c, _p: float(c.min()),
    "class, product": lambda c, _p: float(c.prod()),
    "class, geometric mean": lambda c, _p: _geometric(c),
    "class, first token": lambda c, _p: float(c[0]),
    "locations, geometric mean": lambda _c, p: _geometric(p),
    "class mean x locations, geometric mean": lambda c, p: float(c.mean()) * _geometric(p),
    "class product x locations, geometric mean": lambda c, p: float(c.prod()) * _geometric(p),
    "class mean x locations, square root of that": lambda c, p: float(c.mean()) * _geometric(p) ** 0.5,
    "class mean x locations, minimum": lambda c, p: float(c.mean()) * float(p.min()),
    "all tokens, product": lambda c, p: float(c.prod() * p.prod()),
    "all tokens, mean": lambda c, p: float(np.concatenate([c, p]).mean()),
    "all tokens, geometric mean": lambda c, p: _geometric(np.concatenate([c, p])),
}
"""From the probabilities of the class tokens and of the four locations to a score."""

DUPLICATES = (1.0, 0.95, 0.9, 0.8, 0.7, 0.6, 0.5)
"""Overlaps above which boxes of a class are one; 1 keeps all."""

Variant = Callable[[list[GeneratedBox], tuple[int, int]], Detections]


def variants() -> dict[str, Variant]:
    """Return what is compared: from the boxes of an answer and the size of its image to detections."""
    formulas = {name: _scored_by(formula) for name, formula in FORMULAS.items()}
    return formulas | {f"one box above IoU {iou}": _without_duplicates(iou) for iou in DUPLICATES}


def _scored_by(formula: Formula) -> Variant:
    def score(boxes: list[GeneratedBox], resolution_wh: tuple[int, int]) -> Detections:
        values = [formula(np.array(b.word_probabilities), np.array(b.location_probabilities)) for b in boxes]
        return replace(score_detections(boxes, resolution_wh), confidence=np.array(values, dtype=np.float32))

    return score


def _without_duplicates(iou: float) -> Variant:
    return lambda boxes, resolution_wh: suppress_duplicates(score_detections(boxes, resolution_wh), iou)


def _measure(florence2: Florence2, source: str, count: int, seed: int, tokens: int) -> dict[str, dict[str, float]]:
    rows = box_rows(source, count, seed)
    config = EvaluationConfig(eval_batch_size=50, max_new_tokens=tokens)
    reader = TokenReader.of(florence2.tokenizer)
    written = Predictor(florence2, config).generate(rows.samples)
    boxes = [read_boxes(answer.tokens, answer.probabilities, reader)[0] for answer in written]
    sizes = [sample.resolution_wh for sample in rows.samples]
    return {
        name: mean_average_precision([variant(*row) for row in zip(boxes, sizes, strict=True)], rows.truths)
        for name, variant in variants().items()
    }


def _table(runs: Sequence[dict[str, dict[str, float]]]) -> str:
    lines = ["| variant | mAP | mAP50 | difference of mAP to the one in use |", "|---|---|---|---|"]
    for name in runs[0]:
        cells = [_spread([run[name][score] for run in runs]) for score in ("map", "map50")]
        differences = [run[name]["map"] - run[IN_USE]["map"] for run in runs]
        error = statistics.stdev(differences) / len(runs) ** 0.5
        lines.append(f"| {name} | {' | '.join(cells)} | {statistics.fmean(differences):+.4f} ± {error:.4f} |")
    return "\n".join(lines)


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.fmean(values):.4f} ± {statistics.stdev(values):.4f}"


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
    case = (florence2, options.data, options.images)
    print(_table([_measure(*case, seed, options.max_new_tokens) for seed in range(options.seeds)]))


if __name__ == "__main__":
    main()
