"""``florence2 train --dry-run`` against the training: steps, seconds and memory, as estimated and as measured.

    python -m benchmarks.plan_estimates --epochs=2
    python -m benchmarks.plan_estimates --processor --epochs=1

The first compares whole processes by the clock, the second the training alone by the seconds of the processor, which
other work on the machine does not change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

from florence2.config import Configuration
from florence2.datasets.ingestion import ingest
from florence2.training.fitting import fit
from florence2.training.probe import probe_training

__all__ = ["Outcome", "compare", "main", "processor_seconds"]

_GIB_PER_KIB = 2.0**-20


class Outcome(NamedTuple):
    """A plan and its training; the seconds of a training are those of the whole process."""

    steps: tuple[int, int]
    seconds: tuple[float, float]
    gib: tuple[float, float]
    planning_seconds: float


def compare(words: list[str]) -> Outcome:
    """Plan a training, then do it.

    Args:
        words: options of ``florence2 train``.
    """
    with tempfile.TemporaryDirectory() as folder:
        planned, planning_seconds, _ = _json_of(["train", *words, "--dry-run", "--json"])
        result, seconds, gib = _json_of(["train", *words, "--json", f"--output={folder}"])
        steps = json.loads(Path(result["checkpoint"], "checkpoint.json").read_text())["history"][-1]["step"]
    plan = planned["plan"]
    return Outcome(
        (plan["steps"], steps), (plan["seconds"]["total"], seconds), (plan["memory_gib"], gib), planning_seconds
    )


def processor_seconds(
    strategy: Literal["lora", "full", "freeze"], arguments: argparse.Namespace
) -> tuple[float, float]:
    """Return what a training and its validation take by the plan, and what they then take."""
    config = Configuration(
        dataset=arguments.dataset, base=arguments.model, strategy=strategy, epochs=arguments.epochs, preview=0
    )
    splits = ingest(config.dataset)
    with patch("time.perf_counter", time.process_time):
        cost = probe_training(splits.select("train"), splits.select("valid"), config.model, config.training)
    started = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        fit(splits, config.model, config.training, Path(folder) / "checkpoint")
    return cost.train_seconds + cost.valid_seconds, time.process_time() - started


def _json_of(words: list[str]) -> tuple[Any, float, float]:
    """Return what a command prints, its seconds and the peak of its memory in GiB."""
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "florence2.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"florence2 {' '.join(words)} ended with status {process.returncode}")
    return json.loads(text), time.monotonic() - started, usage.ru_maxrss * _GIB_PER_KIB


def main() -> None:
    """Compare for each strategy, on the built-in data set and base."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--dataset", default="builtin:cards")
    parser.add_argument("--model", default="builtin:nano")
    parser.add_argument(
        "--processor", action="store_true", help="count seconds of the processor, of the training alone"
    )
    arguments = parser.parse_args()
    if arguments.processor:
        strategies: list[Literal["lora", "full", "freeze"]] = ["lora", "full", "freeze"]
        for each in strategies:
            planned, done = processor_seconds(each, arguments)
            print(f"{each}: {planned:.1f} s planned, {done:.1f} s done", flush=True)
        return
    print("| strategy | steps, planned / done | seconds, planned / done | GiB, planned / peak | planning took |")
    print("|---|---|---|---|---|")
    for strategy in ("lora", "full", "freeze"):
        words = [f"--dataset={arguments.dataset}", f"--model={arguments.model}", f"--strategy={strategy}"]
        found = compare([*words, f"--epochs={arguments.epochs}", "--max-new-tokens=64", "--eval-batch-size=64"])
        print(
            f"| {strategy} | {found.steps[0]} / {found.steps[1]} | {found.seconds[0]:.0f} / {found.seconds[1]:.0f} | "
            f"{found.gib[0]:.2f} / {found.gib[1]:.2f} | {found.planning_seconds:.0f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
