"""Measure the training engine on a GPU at the shape of Florence-2-base, beside what the GPU could do at most.

    python -m benchmarks.gpu_speed --batch-size 8

A large matrix product gives the ceiling of the arithmetic. The engine trains on photographs of 640 x 480 pixels with
16 boxes each, decoding included; the operations of a step are counted by torch while it runs. A line of JSON for each
strategy tells pictures per second by epoch (the mean over an epoch's steps after the first three), the share of the
ceiling that they use, and the memory.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.base_shape import save_base_shape, write_photographs
from benchmarks.engine_clock import timed_fit
from benchmarks.peer_loops import engine_batches
from florence2.config import DatasetConfig, EngineConfig, ModelConfig, TrainingConfig
from florence2.data.ingest import ingest
from florence2.data.manifest import DatasetManifest
from florence2.model.base import load_base
from florence2.training.job import new_word_ids
from florence2.training.strategies import prepare_strategy

__all__ = ["ceiling", "main", "operations"]

_WARM_UP = 3


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--steps", type=int, default=16, help="of each of two epochs")
    parser.add_argument("--strategies", nargs="+", default=["lora", "full", "freeze"])
    options = parser.parse_args(arguments)
    if not torch.cuda.is_available():
        parser.error("torch sees no CUDA GPU")
    most = ceiling()
    print(
        json.dumps({"gpu": torch.cuda.get_device_name(), "bfloat16 product, TFLOP/s": round(most / 1e12)}), flush=True
    )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        base = ModelConfig(base=str(save_base_shape(Path(folder) / "base")))
        source = write_photographs(Path(folder) / "set", options.steps * options.batch_size, 1, boxes=16)
        rows = ingest(DatasetConfig(source=str(source)))
        for strategy in options.strategies:
            training = TrainingConfig(
                strategy=strategy,
                epochs=2,
                batch_size=options.batch_size,
                engine=EngineConfig(save_minutes=1e6),
            )
            each = operations(rows, base, training)
            torch.cuda.reset_peak_memory_stats()
            _, clock = timed_fit(rows, base, training, Path(folder) / strategy)
            rates = [
                options.batch_size / statistics.fmean(lap.wall for lap in laps[_WARM_UP:]) for laps in clock.epochs
            ]
            print(
                json.dumps(
                    {
                        "strategy": strategy,
                        "batch size": options.batch_size,
                        "pictures per second by epoch": [round(rate, 1) for rate in rates],
                        "GFLOP per picture": round(each / 1e9),
                        "share of the ceiling": round(rates[-1] * each / most, 3),
                        "peak GiB": round(clock.peak_gib, 1),
                    }
                ),
                flush=True,
            )


def ceiling(side: int = 8192, repeats: int = 20) -> float:
    """Return the operations per second of a bfloat16 matrix product on random data."""
    left, right = (torch.randn(side, side, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    for _ in range(3):
        left @ right
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(repeats):
        left @ right
    end.record()
    torch.cuda.synchronize()
    return 2 * side**3 * repeats / (start.elapsed_time(end) / 1e3)


def operations(rows: DatasetManifest, base: ModelConfig, training: TrainingConfig) -> float:
    """Return the floating-point operations of one picture in a training step, forward and backward."""
    florence2 = load_base(base)
    train = rows.select("train")
    batch = engine_batches(florence2, train, training.batch_size)[0]
    model = prepare_strategy(florence2, training, new_word_ids(train, florence2)).model.to("cuda").train()
    with FlopCounterMode(display=False) as counter, torch.autocast("cuda", torch.bfloat16):
        loss = model(**{name: tensor.to("cuda") for name, tensor in batch.items()}).loss
        torch.autograd.backward(loss)
    return counter.get_total_flops() / training.batch_size


if __name__ == "__main__":
    main()
