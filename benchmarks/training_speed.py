"""Measure the training engine against the loops that people use, and against the bare arithmetic.

python -m benchmarks.training_speed input --dataset my/photographs
python -m benchmarks.training_speed compute
python -m benchmarks.training_speed freeze

Each side of each repetition runs in a process of its own with empty caches, the sides in turn, so that a busy machine
hurts all of them. Rates are given by the clock and, after the bar, per second of processor time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from benchmarks.base_shape import save_base_shape, write_photographs
from benchmarks.engine_clock import timed_fit
from benchmarks.peer_loops import PEERS, answer_loss, bare_steps, engine_batches, peer_epochs
from benchmarks.stopwatch import Spent
from florence2.config import DatasetConfig, EngineConfig, ModelConfig, TrainingConfig
from florence2.datasets.ingestion import ingest
from florence2.model.base import load_base
from florence2.training.callbacks import memory_gib
from florence2.training.job import new_word_ids
from florence2.training.strategies import learning_rate_of, prepare_strategy

__all__ = ["Result", "Side", "measure"]


@dataclass(frozen=True)
class Side:
    """One of those that are compared.

    Attributes:
        name: in the table.
        loop: ``engine``, ``bare``, or one of ``PEERS``.
        training: its settings.
    """

    name: str
    loop: str
    training: TrainingConfig


@dataclass(frozen=True)
class Result:
    """What a side did.

    Attributes:
        epochs: what each step took, by epoch.
        peak_gib: most memory up to the end of the last step.
        loss: on the validation split, of the best epoch; None if it is not measured.
    """

    epochs: list[list[Spent]]
    peak_gib: float
    loss: float | None


def measure(side: Side, source: str, model: ModelConfig, *, evaluated: bool) -> Result:
    """Run a side in this process, with empty caches.

    Args:
        side: which.
        source: the data set.
        model: the base.
        evaluated: whether the loss is measured.
    """
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        splits = ingest(DatasetConfig(source=source))
        train, training = splits.select("train"), side.training
        valid = engine_batches(load_base(model), splits.select("valid"), training.batch_size) if evaluated else []
        if side.loop == "engine":
            checkpoint, clock = timed_fit(splits, model, training, Path(folder) / "checkpoint")
            loss = answer_loss(checkpoint.load().model, valid) if evaluated else None
            return Result(clock.epochs, clock.peak_gib, loss)
        florence2 = load_base(model)
        rate = learning_rate_of(training, florence2)
        if side.loop == "bare":
            batches = engine_batches(florence2, train, training.batch_size)
            trained = prepare_strategy(florence2, training, new_word_ids(train, florence2)).model
            return Result([bare_steps(trained, batches, rate)], memory_gib(), None)
        epochs, losses, peak = [], [], 0.0
        for trained, steps in peer_epochs(PEERS[side.loop], florence2, train, training, rate):
            epochs.append(steps)
            peak = memory_gib()
            if evaluated:
                losses.append(answer_loss(trained, valid))
        return Result(epochs, peak, min(losses, default=None))


def _compare(
    sides: Sequence[Side], source: str, model: ModelConfig, repeats: int, warm_up: int, evaluated: bool
) -> None:
    """Run all sides in turn and print a table.

    Args:
        sides: those to compare.
        source: the data set.
        model: the base.
        repeats: of each side.
        warm_up: first steps of an epoch that do not count.
        evaluated: whether losses are measured.
    """
    results: dict[str, list[Result]] = {side.name: [] for side in sides}
    for _ in range(repeats):
        for side in sides:
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
                results[side.name].append(child.submit(measure, side, source, model, evaluated=evaluated).result())
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"\nmedian of {repeats}; {os.cpu_count()} cores, load {load}, threads {os.environ.get('OMP_NUM_THREADS')}")
    for side in sides:
        print(_line(side, results[side.name], warm_up))


def _line(side: Side, results: Sequence[Result], warm_up: int) -> str:
    """Return a line of the table: images per second of each epoch, then memory and loss."""
    columns = []
    for epoch in range(len(results[0].epochs)):
        laps = [result.epochs[epoch][warm_up:] for result in results]
        per_step = [[statistics.fmean(lap[kind] for lap in steps) for steps in laps] for kind in (0, 1)]
        wall, cpu = (side.training.batch_size / statistics.median(seconds) for seconds in per_step)
        columns.append(f"{wall:8.4f} | {cpu:8.4f}")
    peak = statistics.median(result.peak_gib for result in results)
    losses = [result.loss for result in results if result.loss is not None]
    loss = f", validation loss {statistics.median(losses):.3f}" if losses else ""
    return f"{side.name:28} images/s by epoch: {'   '.join(columns)}   peak {peak:.2f} GiB{loss}"


def _input(dataset: str, repeats: int) -> None:
    for strategy in ("lora", "full"):
        training = TrainingConfig(strategy=strategy, epochs=2)
        sides = [Side(f"{strategy} {loop}", loop, training) for loop in ("engine", *PEERS, "bare")]
        grouped = training.model_copy(update={"group_by_length": True})
        sides.insert(1, Side(f"{strategy} engine, by length", "engine", grouped))
        # A mean over an epoch, its smaller last batch counted as a whole one on each side alike.
        _compare(sides, dataset, ModelConfig(base="builtin:nano"), repeats, warm_up=0, evaluated=True)


def _on_base_shape(sides: Sequence[Side], steps: int, repeats: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = ModelConfig(base=str(save_base_shape(Path(folder) / "base")))
        images = steps * sides[0].training.batch_size
        source = str(write_photographs(Path(folder) / "set", images, 1, boxes=16))
        _compare(sides, source, base, repeats, warm_up=1, evaluated=False)


def _compute(steps: int, repeats: int) -> None:
    training = TrainingConfig(strategy="full", epochs=1, batch_size=1, engine=EngineConfig(save_minutes=1e6))
    _on_base_shape([Side(f"full {loop}", loop, training) for loop in ("engine", "bare", "plain")], steps, repeats)


def _freeze(steps: int, repeats: int) -> None:
    # Two images a step: with one, the optimiser's pass over all weights would be a good part of it on each side.
    frozen = TrainingConfig(strategy="freeze", epochs=1, batch_size=2, engine=EngineConfig(save_minutes=1e6))
    uncached = frozen.model_copy(update={"engine": EngineConfig(save_minutes=1e6, feature_cache_gib=0)})
    sides = [
        Side("freeze, features kept", "engine", frozen),
        Side("freeze, nothing kept", "engine", uncached),
        Side("lora maestro", "maestro", frozen.model_copy(update={"strategy": "lora"})),
    ]
    _on_base_shape(sides, steps, repeats)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["input", "compute", "freeze"])
    parser.add_argument("--dataset", default="builtin:cards", help="for input: a folder of labelled photographs")
    parser.add_argument("--steps", type=int, default=4, help="for compute and freeze: steps, the first not counted")
    parser.add_argument("--repeats", type=int, help="default: 5 for input, 1 for the others")
    args = parser.parse_args()
    if args.what == "input":
        _input(args.dataset, args.repeats or 5)
    elif args.what == "compute":
        _compute(args.steps, args.repeats or 1)
    else:
        _freeze(args.steps, args.repeats or 1)


if __name__ == "__main__":
    main()
