"""Which recipe trains best: each variant on each data set with each seed, against the default one.

    python -m benchmarks.recipes run --data builtin:cards --data od_bccd/florence2 --data vqa_easy/florence2
    python -m benchmarks.recipes table

A study that was interrupted continues: runs whose results are in the file are not repeated. All variants of a data set
train on the same samples, the same number of times; what is compared is the test split's headline scores. A variant
that changes nothing for a data set, such as the order of boxes where each image has one, is left out there.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from florence2.codec.grammar import scan_boxes
from florence2.config import Configuration
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.splits.assignment import split_dataset

__all__ = ["VARIANTS", "main", "render"]

DEFAULT = "default"

VARIANTS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "boxes from left to right": {"box_order": "left_to_right"},
    "boxes in random order": {"box_order": "random"},
    "end token weighs 0.3": {"eos_weight": 0.3},
    "locations spread by 2 bins": {"location_smoothing": 2.0},
    "locations spread by 8 bins": {"location_smoothing": 8.0},
    "lora, rank 4": {"rank": 4, "alpha": 8},
    "lora, rank 64": {"rank": 64, "alpha": 128},
    "lora, language only": {"targets": "language"},
    "lora, rate / 3": {"learning_rate": 4e-3 / 3},
    "lora, rate x 2": {"learning_rate": 8e-3},
    "rslora": {"variant": "rslora"},
    "full": {"strategy": "full"},
    "full, rate / 3": {"strategy": "full", "learning_rate": 1e-3 / 3},
    "freeze": {"strategy": "freeze"},
    "batches of like length": {"group_by_length": True},
    "flip, crop, light": {"flip": 0.5, "crop": 0.2, "light": 0.2},
    "best epoch by the score": {"best_by": "score"},
    "half the epochs": {"epochs": 0.5},
}
"""Settings that differ from the defaults; ``epochs`` is a factor."""

_HEADLINES = ("map50", "map", "vqa_accuracy")
_NEED_BOXES = ("location_smoothing", "flip")
_NEED_SEVERAL_BOXES = ("box_order", "eos_weight")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a study, or show the table of its results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("do", choices=["run", "table"])
    parser.add_argument("--results", type=Path, default=Path("recipes.jsonl"))
    parser.add_argument("--data", action="append", default=[], help="data set; once for each")
    parser.add_argument("--variant", action="append", choices=VARIANTS, help="only these; default: all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument(
        "--rows", type=int, default=300, help="samples of the training and of the test split that are used"
    )
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, each on one core")
    options = parser.parse_args(arguments)
    if options.do == "run":
        _run(options)
    print(render(_read(options.results)))


def render(results: Sequence[dict[str, Any]]) -> str:
    """Return a table in Markdown: mean and standard deviation over the seeds, and the difference to the default.

    A difference that is more than twice its standard error, seeds paired, is marked with ``*``.
    """
    columns = list(dict.fromkeys((r["data"], r["score"]) for r in results))
    values: dict[tuple[str, str, str], dict[int, float]] = defaultdict(dict)
    for r in results:
        values[r["variant"], r["data"], r["score"]][r["seed"]] = r["value"]
    lines = ["| recipe | " + " | ".join(f"{data}, {score}" for data, score in columns) + " |"]
    lines.append("|---" * (len(columns) + 1) + "|")
    for variant in VARIANTS:
        cells = [_cell(values[variant, *column], values[DEFAULT, *column]) for column in columns]
        if any(cells):
            lines.append(f"| {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(found: dict[int, float], default: dict[int, float]) -> str:
    if not found:
        return ""
    mean = statistics.fmean(found.values())
    spread = statistics.stdev(found.values()) if len(found) > 1 else float("nan")
    text = f"{mean:.3f} ± {spread:.3f}"
    pairs = [value - default[seed] for seed, value in found.items() if seed in default]
    if found is default or len(pairs) < 2:
        return text
    error = statistics.stdev(pairs) / len(pairs) ** 0.5
    difference = statistics.fmean(pairs)
    return f"{text} ({difference:+.3f}{'*' if abs(difference) > 2 * error else ''})"


def _run(options: argparse.Namespace) -> None:
    done = {(r["data"], r["variant"], r["seed"]) for r in _read(options.results)}
    most_boxes = {source: _most_boxes(_splits(source, options.rows)) for source in options.data}
    # All variants with one seed before the next seed: a study that is cut off compares as many as it can.
    todo = [
        (source, variant, seed)
        for seed in range(options.seeds)
        for variant in options.variant or VARIANTS
        for source in options.data
        if (_name(source), variant, seed) not in done and _matters(variant, most_boxes[source])
    ]
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(_one, *case, options.epochs, options.rows) for case in todo]
        for number, run in enumerate(as_completed(runs), 1):
            with options.results.open("a", encoding="utf-8") as file:
                for result in run.result():
                    file.write(json.dumps(result) + "\n")
                    line = "{data}, {variant}, seed {seed}: {score} {value:.3f}".format(**result)
                    print(f"{number}/{len(runs)}  {line}  ({result['seconds']:.0f} s)", flush=True)


def _most_boxes(data: DatasetManifest) -> float:
    """Return how many boxes an answer holds that has more of them than nine of ten."""
    return float(np.quantile([len(scan_boxes(suffix)[0]) for suffix in data.table["suffix"]], 0.9))


def _matters(variant: str, most_boxes: float) -> bool:
    """Return whether a variant can change anything where answers hold so many boxes."""
    names = VARIANTS[variant].keys()
    needed = 2 if names & set(_NEED_SEVERAL_BOXES) else 1 if names & set(_NEED_BOXES) else 0
    return most_boxes >= needed


def _one(source: str, variant: str, seed: int, epochs: int, rows: int) -> list[dict[str, Any]]:
    """Train and evaluate once."""
    from florence2.evaluation.epoch_evaluator import EpochEvaluator
    from florence2.evaluation.evaluate import evaluate_split
    from florence2.training.fitting import fit
    from florence2.training.monitoring import Monitoring

    settings = dict(VARIANTS[variant])
    settings["epochs"] = max(1, round(epochs * settings.pop("epochs", 1)))
    data = _splits(source, rows)
    score = "map" if "<OD>" in set(data.table["task"]) else "vqa_accuracy"
    if settings.get("best_by") == "score":
        settings["best_by"] = score
    config = Configuration(dataset=source, seed=seed, eval_batch_size=64, max_new_tokens=256, preview=0, **settings)
    evaluator = EpochEvaluator.of(data.select("valid"), config.training, config.evaluation)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        checkpoint = fit(
            data, config.model, config.training, Path(folder, "c"), monitoring=Monitoring(evaluator=evaluator)
        )
        seconds = time.perf_counter() - started
        found = evaluate_split(checkpoint.load(), variant, data.select("test"), config.evaluation).evaluation.metrics
    case = {"data": _name(source), "variant": variant, "seed": seed, "epochs": config.training.epochs, "rows": rows}
    return [
        {**case, "score": name, "value": found[name], "best_epoch": checkpoint.epoch, "seconds": seconds}
        for name in _HEADLINES
        if name in found
    ]


def _splits(source: str, rows: int) -> DatasetManifest:
    """Return the splits of a set with so many samples for training and test, and a third as many for validation."""
    config = Configuration(dataset=source)
    splits = split_dataset(ingest(config.dataset), config.split)
    table = splits.table
    left_out: list[int] = []
    for split, most in (("train", rows), ("valid", rows // 3), ("test", rows)):
        own = table.index[table["split"] == split]
        left_out += own.difference(own[:: max(1, len(own) // most)][:most]).tolist()
    return splits.drop(left_out)


def _name(source: str) -> str:
    path = Path(source)
    return source if source.startswith("builtin:") else path.parent.name if path.name == "florence2" else path.name


def _read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in _lines(file)]


def _lines(file: Path) -> Iterator[str]:
    if file.is_file():
        yield from file.read_text(encoding="utf-8").splitlines()


if __name__ == "__main__":
    main()
