"""The data of one pretraining step: scenes, what is asked about them, tensors. A function of seed and step alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import Florence2Processor

from florence2.data.scenes import Scene, draw_shapes
from pretraining import tasks
from pretraining.heads import CellTargets, cell_targets
from pretraining.model import GRID, IMAGE_SIDE

__all__ = ["Batch", "Recipe", "build_batch", "draw_scenes", "encode_prompts"]


@dataclass(frozen=True)
class Recipe:
    """What makes one pretraining run; two runs of one recipe on one machine end with the same weights.

    Attributes:
        steps: optimiser steps; the default is what the shipped model was made with.
        batch_size: scenes per step; each is asked for one long and one short answer.
        learning_rate: its peak.
        warmup: steps in which it rises.
        weight_decay: of AdamW, on matrices only.
        seed: of weights and data.
    """

    steps: int = 5600
    batch_size: int = 16
    learning_rate: float = 2e-3
    warmup: int = 200
    weight_decay: float = 0.02
    seed: int = 0

    def rate(self, step: int) -> float:
        """Return the learning rate of a step: a rise, then a cosine down to 2 %."""
        if step < self.warmup:
            return self.learning_rate * (step + 1) / self.warmup
        progress = (step - self.warmup) / max(1, self.steps - self.warmup)
        return self.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * min(1.0, progress))) / 2)

    def sigma(self, step: int) -> float:
        """Return the deviation, in bins, of the smoothed location targets of a step."""
        return 8.0 - 6.5 * min(1.0, step / self.steps)


@dataclass(frozen=True)
class Batch:
    """Tensors of a step.

    Attributes:
        pixels: (n, 3, side, side).
        cells: what lies in the cells of the visual grid.
        long: ``input_ids``, ``attention_mask`` and ``labels`` of questions that boxes answer.
        short: the same of questions that a few words answer.
    """

    pixels: Tensor
    cells: CellTargets
    long: dict[str, Tensor]
    short: dict[str, Tensor]


def draw_scenes(recipe: Recipe, step: int) -> list[Scene]:
    """Draw the scenes of a step: one or two large objects first, up to five and small ones later."""
    rng = np.random.default_rng([recipe.seed, step])
    progress = step / recipe.steps
    smallest = 0.42 - 0.14 * min(1.0, progress / 0.3)
    scenes = []
    for _ in range(recipe.batch_size):
        if progress < 0.1:
            count = int(rng.integers(1, 3))
        elif progress < 0.3 or rng.random() < 0.85:
            count = int(rng.integers(1, 4))
        else:
            count = int(rng.integers(4, 6))
        scenes.append(draw_shapes(rng, IMAGE_SIDE, count, (smallest, 0.5)))
    return scenes


def build_batch(recipe: Recipe, step: int, processor: Florence2Processor) -> Batch:
    """Make the batch of a step."""
    scenes = draw_scenes(recipe, step)
    rng = np.random.default_rng([recipe.seed, step, 1])
    long = [tasks.grounding(rng, scene) if rng.random() < 0.12 else tasks.detection(scene) for scene in scenes]
    pixels = processor.image_processor([scene.image for scene in scenes], return_tensors="pt")["pixel_values"]
    short = [_short(rng, scene) for scene in scenes]
    return Batch(pixels, cell_targets(scenes, GRID), _encode(processor, long), _encode(processor, short))


def _short(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    draw = rng.random()
    if draw < 0.8:
        return tasks.question(rng, scene)
    return tasks.region_category(rng, scene) if draw < 0.92 else tasks.caption(scene)


def _encode(processor: Florence2Processor, pairs: list[tuple[str, str]]) -> dict[str, Tensor]:
    inputs = encode_prompts(processor, [prefix for prefix, _ in pairs])
    answers = processor.tokenizer([suffix for _, suffix in pairs], padding=True, return_tensors="pt")
    return {**inputs, "labels": answers["input_ids"].masked_fill(answers["attention_mask"] == 0, -100)}


def encode_prompts(processor: Florence2Processor, prefixes: list[str]) -> dict[str, Tensor]:
    """Return ``input_ids`` and ``attention_mask`` as the processor makes them for prefixes with images.

    The processor writes the prompts; the image's placeholders are added here, so that an image that is asked two
    questions is prepared once.
    """
    tokenizer = processor.tokenizer
    head = [processor.image_token_id] * processor.num_image_tokens + [tokenizer.bos_token_id]
    rows = [[*head, *ids, tokenizer.eos_token_id] for ids in processor(text=prefixes)["input_ids"]]
    longest = max(len(row) for row in rows)
    padded = torch.full((len(rows), longest), tokenizer.pad_token_id)
    mask = torch.zeros_like(padded)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = torch.tensor(row)
        mask[index, : len(row)] = 1
    return {"input_ids": padded, "attention_mask": mask}
