"""Pretrain the built-in base model on generated scenes: ``python -m pretraining.nano --seed 0``.

Seeded: the data of a step is a function of the seed and the step alone. Resumable: the state is written every few
hundred steps, and the same command goes on from it as if it had never stopped. Runs on a CPU core or a CUDA GPU.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers.models.florence2.modeling_florence2 import shift_tokens_right

from florence2.codec.locations import BINS
from pretraining.batches import Batch, Recipe, build_batch
from pretraining.heads import TrainingHeads, answer_loss
from pretraining.model import IMAGE_SIDE, IMAGE_TOKENS, WIDTH, build_model, export_model, first_location_id
from pretraining.state import load_state, save_state
from pretraining.vocabulary import build_processor

__all__ = ["Trainer", "main", "run", "steps_for"]

_AVERAGING = 0.997
"""Decay of the running average of the weights, which is what is shipped: at any time better than the last step."""


class Trainer:
    """Model, heads and optimiser of a run, and the one step they take together."""

    def __init__(self, recipe: Recipe, device: str = "cpu") -> None:
        self.recipe = recipe
        self.device = device
        self.processor = build_processor(IMAGE_SIDE, IMAGE_TOKENS)
        self.model = _moved(build_model(self.processor, recipe.seed), device)
        self.heads = TrainingHeads(WIDTH).to(device)
        self.first_location = first_location_id(self.processor)
        self.average = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(_AVERAGING))
        self.step = 0
        parameters = [*self.model.parameters(), *self.heads.parameters()]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
                {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=recipe.learning_rate,
            betas=(0.9, 0.98),
            fused=True,
        )

    def advance(self) -> dict[str, float]:
        """Take one step and return its losses by name."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(self.step)
        losses = self._losses(build_batch(self.recipe, self.step, self.processor))
        self.optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        self.optimizer.step()
        self.average.update_parameters(self.model)
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    @property
    def averaged(self) -> Any:
        """Return the running average of the weights as a model."""
        return self.average.module

    def save(self, path: Path) -> None:
        """Write the state of the run."""
        save_state(path, self._modules(), self.optimizer, {"step": self.step, "recipe": asdict(self.recipe)})

    def load(self, path: Path) -> None:
        """Go on from a written state of the same recipe.

        Raises:
            ValueError: the state belongs to another recipe.
        """
        facts = load_state(path, self._modules(), self.optimizer)
        if facts["recipe"] != asdict(self.recipe):
            raise ValueError(f"{path} belongs to the recipe {facts['recipe']}; give another --output")
        self.step = int(facts["step"])
        self.average.n_averaged.fill_(self.step)

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "heads": self.heads, "average": self.average.module}

    def _losses(self, batch: Batch) -> dict[str, Tensor]:
        sigma = self.recipe.sigma(self.step)
        features = self.model.get_image_features(batch.pixels.to(self.device)).pooler_output
        long_loss, encoded = self._answer(features, batch.long, sigma)
        short_loss, _ = self._answer(features, batch.short, sigma)
        cells = batch.cells.to(self.device)
        rows = self.model.get_input_embeddings().weight[self.first_location : self.first_location + BINS]
        return {
            "boxes": long_loss,
            "words": short_loss,
            "dense": 0.7 * self.heads.dense_loss(features[:, 1:], cells),
            "locate": 0.25 * self.heads.location_loss(encoded, cells, rows, sigma),
        }

    def _answer(self, features: Tensor, inputs: dict[str, Tensor], sigma: float) -> tuple[Tensor, Tensor]:
        """Return the loss of written answers and the encoder's output at the visual tokens of the grid."""
        ids = inputs["input_ids"].to(self.device)
        labels = inputs["labels"].to(self.device)
        tokenizer = self.processor.tokenizer
        embedded = self.model.get_input_embeddings()(ids)
        image = (ids == self.processor.image_token_id)[..., None]
        outputs = self.model.model(
            inputs_embeds=embedded.masked_scatter(image, features),
            attention_mask=inputs["attention_mask"].to(self.device),
            decoder_input_ids=shift_tokens_right(labels, tokenizer.pad_token_id, tokenizer.eos_token_id),
        )
        # The output layer is the dearest of a small model: only tokens that are asked for pass through it.
        asked = labels != -100
        logits = self.model.lm_head(outputs.last_hidden_state[asked])
        loss = answer_loss(logits, labels[asked], self.first_location, sigma)
        return loss, outputs.encoder_last_hidden_state[:, 1:IMAGE_TOKENS]


def _moved(module: nn.Module, device: str) -> Any:
    """Return a module on a device; untyped, for transformers annotates ``to`` wrongly."""
    return module.to(device).train()


def run(recipe: Recipe, output: Path, device: str = "cpu", save_every: int = 500) -> Path:
    """Train to the end of a recipe, from the state in ``output`` if there is one.

    Args:
        recipe: what to train.
        output: folder of the state, the losses (``losses.jsonl``) and the result.
        device: for example ``cpu`` or ``cuda``.
        save_every: steps between two saved states.

    Returns:
        The folder with the finished model; while the run goes on it holds the average of the weights so far.
    """
    output.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, device)
    state = output / "state.safetensors"
    if state.exists():
        trainer.load(state)
    first, started = trainer.step, time.perf_counter()
    with (output / "losses.jsonl").open("a", encoding="utf-8") as log:
        while trainer.step < recipe.steps:
            losses = trainer.advance()
            if trainer.step % 50 == 0 or trainer.step == recipe.steps:
                seconds = (time.perf_counter() - started) / (trainer.step - first)
                line = {"step": trainer.step, **losses, "seconds_per_step": seconds}
                print(json.dumps({key: round(value, 5) for key, value in line.items()}), file=log, flush=True)
            if trainer.step % save_every == 0 or trainer.step == recipe.steps:
                trainer.save(state)
                export_model(trainer.averaged, trainer.processor, output / "model")
    return output / "model"


def steps_for(minutes: float, batch_size: int, device: str) -> int:
    """Measure a throw-away run and return how many steps fit in the time."""
    probe = Trainer(Recipe(steps=1000, batch_size=batch_size), device)
    probe.step = 500
    for _ in range(3):
        probe.advance()
    started = time.perf_counter()
    for _ in range(10):
        probe.advance()
    return max(1, int(minutes * 60 / ((time.perf_counter() - started) / 10)))


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m pretraining.nano", description=__doc__)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, default=Recipe.steps, help="optimiser steps")
    length.add_argument("--minutes", type=float, help="as many steps as fit; the count depends on the machine")
    parser.add_argument("--batch-size", type=int, default=Recipe.batch_size, help="scenes per step")
    parser.add_argument("--learning-rate", type=float, default=Recipe.learning_rate, help="its peak")
    parser.add_argument("--seed", type=int, default=Recipe.seed, help="of weights and data")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU cores to use")
    parser.add_argument("--output", type=Path, default=Path("pretraining/runs/nano"))
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    minutes = options.minutes
    steps = steps_for(minutes, options.batch_size, options.device) if minutes else options.steps
    recipe = Recipe(steps, options.batch_size, options.learning_rate, seed=options.seed)
    print(f"{steps} steps of {options.batch_size} scenes -> {options.output}", flush=True)
    print(run(recipe, options.output, options.device))


if __name__ == "__main__":
    main()
