"""What a first training gives: ``florence2 train DATA`` with no option, its score, its baseline and its minutes.

    python -m benchmarks.first_training od_bccd/florence2 vqa_easy/florence2 builtin:cards
    python -m benchmarks.first_training od_bccd/florence2 --search arms.jsonl

Each data set is trained as a person would type it, in a new process and a new folder; caches of the user are used as
they are. A line of JSON gives what was chosen, the first score of the test split, what the best answers without seeing
the images reach, the interval of the difference, and the minutes of the whole command, by the clock and of processors.
With ``--search``, a file of JSON lines with ``data`` and the scores of settings that somebody tried by hand, also the
share of the best of them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from florence2.evaluation.scores import in_order

__all__ = ["best_by_hand", "first_training", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command: a JSON line for each data set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="+", help="data sets, as florence2 train takes them")
    parser.add_argument("--search", type=Path, help="JSON lines of arms that were tried by hand")
    options = parser.parse_args(arguments)
    arms = [json.loads(line) for line in options.search.read_text().splitlines()] if options.search else []
    for data in options.data:
        found = first_training(data)
        if best := best_by_hand(arms, data, found["score"]):
            found["share of the best by hand"] = round(found["value"] / best, 3)
        print(json.dumps(found), flush=True)


def first_training(data: str) -> dict[str, Any]:
    """Train on a data set with no option.

    Returns:
        ``data``, ``minutes``, ``processor minutes``, what was chosen, and of the first score of the test split: its
        name, its value, that of the base, that of the baseline, and the interval of the difference from the baseline.
    """
    source = data if data.startswith("builtin:") else str(Path(data).absolute())
    with tempfile.TemporaryDirectory() as folder:
        started, busy = time.perf_counter(), _processor_seconds()
        command = [sys.executable, "-m", "florence2.cli", "train", source, "--json"]
        done = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True)
        minutes, of_processors = (time.perf_counter() - started) / 60, (_processor_seconds() - busy) / 60
        result = json.loads(done.stdout)
        settings = yaml.safe_load((Path(folder) / result["folder"] / "configuration.yaml").read_text())["parameters"]
    training, after, baseline = settings["training"], result["after"], result["after"]["baseline"]
    score = in_order(after["scores"])[0]
    difference = (baseline or {"differences": {}})["differences"].get(score)
    return {
        "data": data,
        "minutes": round(minutes, 1),
        "processor minutes": round(of_processors, 1),
        "base": settings["model"]["base"],
        "recipe": training["recipe"],
        "epochs": training["epochs"],
        "score": score,
        "value": round(after["scores"][score], 3),
        "base scores": round(result["before"]["scores"][score], 3),
        "baseline": None if baseline is None else round(baseline["scores"][score], 3),
        "difference": difference,
        "scores": {name: round(value, 3) for name, value in after["scores"].items()},
    }


def _processor_seconds() -> float:
    """Return the processor time of all processes that were waited for."""
    times = os.times()
    return times.children_user + times.children_system


def best_by_hand(arms: Sequence[Mapping[str, Any]], data: str, score: str) -> float | None:
    """Return the best score of the arms of a data set; None where there is none."""
    found = [float(arm[score]) for arm in arms if arm.get("data") == data and score in arm]
    return max(found, default=None)


if __name__ == "__main__":
    main()
