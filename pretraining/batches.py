"""The data of one pretraining step: scenes, their prompts and answers, tensors. A function of seed and step alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from transformers import Florence2Processor

from pretraining.course import Course, as_pixels
from pretraining.courses import COURSES
from pretraining.heads import CellTargets, cell_targets
from pretraining.sizes import SIZES, Size
from pretraining.vocabulary import build_processor

__all__ = ["RECIPES", "Batch", "Recipe", "batches", "build_batches", "encode_prompts"]


_PROMPT_ROOM = 56
"""Tokens of the text of a prompt where all batches have one shape."""


@dataclass(frozen=True)
class Recipe:
    """What makes one pretraining run; on a CPU, two runs of one recipe end with the same weights.

    Attributes:
        size: name of what is built.
        steps: optimiser steps.
        batch_size: scenes per step; each has one long and one short answer.
        learning_rate: its peak.
        warmup: steps in which it rises.
        weight_decay: of AdamW, on matrices only.
        visits: steps for which a scene is drawn once; each has other prompts and another variation of it.
        averaging: decay of the running average of the weights, which is what is shipped: better than the last step
            once there were some thousands, before that still half of the random start.
        seed: of weights and data.
    """

    size: str = "nano"
    steps: int = 5600
    batch_size: int = 16
    learning_rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.02
    visits: int = 1
    averaging: float = 0.997
    seed: int = 0

    @property
    def built(self) -> Size:
        """Return the size that is built."""
        return SIZES[self.size]

    @property
    def course(self) -> Course:
        """Return what is taught."""
        return COURSES[self.built.course]

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: a rise, then a cosine down to 2 %."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * min(1.0, progress))) / 2)

    def sigma(self, step: int) -> float:
        """Return the deviation, in bins, of the smoothed location targets of a step."""
        return 8.0 - 6.5 * min(1.0, step / self.steps)


RECIPES: dict[str, Recipe] = {
    "nano": Recipe(),
    "small": Recipe(size="small", steps=8248, batch_size=128, warmup=500, visits=2, averaging=0.999),
}
"""What the bases are made with, by size."""


@dataclass(frozen=True)
class Batch:
    """Tensors of a step.

    Attributes:
        pixels: uint8 (n, 3, side, side).
        cells: what is in the cells of the visual grid.
        long: ``input_ids``, ``attention_mask`` and ``labels`` of questions that boxes or sentences answer.
        short: the same of questions that a few words answer.
    """

    pixels: Tensor
    cells: CellTargets
    long: dict[str, Tensor]
    short: dict[str, Tensor]

    def tensors(self, device: str) -> dict[str, Tensor]:
        """Return everything but the pixels by name, on a device."""
        several = {
            f"{which}.{name}": tensor for which in ("long", "short") for name, tensor in getattr(self, which).items()
        }
        return {name: tensor.to(device) for name, tensor in (self.cells.tensors() | several).items()}


def build_batches(recipe: Recipe, first: int, processor: Florence2Processor) -> Iterator[Batch]:
    """Draw scenes, and make the batches of all steps that visit them.

    Args:
        recipe: of the run.
        first: the first of these steps, a multiple of ``recipe.visits``.
        processor: of the model.
    """
    size, course = recipe.built, recipe.course
    scenes = course.scenes(
        np.random.default_rng([recipe.seed, first]), size.side, recipe.batch_size, first / recipe.steps
    )
    pixels = as_pixels(scenes)
    cells = cell_targets([course.marks(scene) for scene in scenes], course, size.grid)
    for step in range(first, first + recipe.visits):
        rng = np.random.default_rng([recipe.seed, step, 1])
        long = [course.long(rng, scene) for scene in scenes]
        short = [course.short(rng, scene) for scene in scenes]
        yield Batch(
            pixels, cells, _encode(processor, long, size.long_answer), _encode(processor, short, size.short_answer)
        )


def batches(recipe: Recipe, first: int, workers: int = 0) -> Iterator[Batch]:
    """Make the batches of all steps from ``first`` on.

    Args:
        recipe: of the run.
        first: the first step.
        workers: processes that draw; 0: this one.
    """
    loader = DataLoader(
        _Visits(recipe),
        batch_size=None,
        sampler=range(first // recipe.visits, math.ceil(recipe.steps / recipe.visits)),
        num_workers=workers,
        prefetch_factor=4 if workers else None,
    )
    every = (batch for several in loader for batch in several)
    yield from islice(every, first % recipe.visits, first % recipe.visits + recipe.steps - first)


class _Visits(Dataset[list[Batch]]):
    """The batches of a run, those about the same scenes together."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        size = recipe.built
        self.processor = build_processor(size.side, size.image_tokens, size.words)

    def __getitem__(self, index: int) -> list[Batch]:
        return list(build_batches(self.recipe, index * self.recipe.visits, self.processor))


def _encode(processor: Florence2Processor, pairs: list[tuple[str, str]], room: int | None) -> dict[str, Tensor]:
    """Return questions and answers as tensors.

    Args:
        processor: of the model.
        pairs: prefixes and suffixes.
        room: tokens of an answer, so that all batches have one shape; longer ones are left out. None: as many as
            the longest takes.
    """
    prompts = encode_prompts(processor, [prefix for prefix, _ in pairs], _PROMPT_ROOM if room else None)
    answers = processor.tokenizer([suffix for _, suffix in pairs])["input_ids"]
    labels = torch.full((len(pairs), room or max(map(len, answers))), -100)
    for row, answer in enumerate(answers):
        if len(answer) <= labels.shape[1]:
            labels[row, : len(answer)] = torch.tensor(answer)
    return {**prompts, "labels": labels}


def encode_prompts(processor: Florence2Processor, prefixes: list[str], room: int | None = None) -> dict[str, Tensor]:
    """Return ``input_ids`` and ``attention_mask`` as the processor makes them for prefixes with images.

    The processor writes the prompts; the image's placeholders are added here, so that an image with two
    prompts is prepared once.

    Args:
        processor: of the model.
        prefixes: the prompts.
        room: tokens of the prompts' text, the longest of them if None.
    """
    tokenizer = processor.tokenizer
    head = [processor.image_token_id] * processor.num_image_tokens + [tokenizer.bos_token_id]
    rows = [[*head, *ids, tokenizer.eos_token_id] for ids in processor(text=prefixes)["input_ids"]]
    longest = max(len(row) for row in rows) if room is None else len(head) + room
    padded = torch.full((len(rows), longest), tokenizer.pad_token_id)
    mask = torch.zeros_like(padded)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = torch.tensor(row)
        mask[index, : len(row)] = 1
    return {"input_ids": padded, "attention_mask": mask}
