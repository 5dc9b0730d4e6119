"""Pretrain a built-in base: ``python -m pretraining --size small --device cuda --workers 14``."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from pretraining.batches import RECIPES
from pretraining.trainer import run, steps_for

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m pretraining", description=__doc__)
    parser.add_argument("--size", choices=sorted(RECIPES), default="nano", help="which base")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, help="optimiser steps; without: those of the recipe")
    length.add_argument("--minutes", type=float, help="as many steps as fit; the count depends on the machine")
    parser.add_argument("--batch-size", type=int, help="scenes per step")
    parser.add_argument("--learning-rate", type=float, help="its peak")
    parser.add_argument("--seed", type=int, help="of weights and data")
    parser.add_argument("--output", type=Path, help="folder of state and result; without: pretrained/SIZE")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU cores to use for arithmetic")
    parser.add_argument("--workers", type=int, default=0, help="processes that draw scenes; 0: the one that trains")
    parser.add_argument("--save-every", type=int, default=500, help="steps between two saved states")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    given = {name: getattr(options, name) for name in ("steps", "batch_size", "learning_rate", "seed")}
    recipe = replace(RECIPES[options.size], **{name: value for name, value in given.items() if value is not None})
    if options.minutes is not None:
        recipe = replace(recipe, steps=steps_for(recipe, options.minutes, options.device, options.workers))
    output = options.output or Path("pretrained", options.size)
    print(f"{recipe.steps} steps of {recipe.batch_size} scenes -> {output}", flush=True)
    print(run(recipe, output, options.device, options.workers, options.save_every))


if __name__ == "__main__":
    main()
