"""Pretrain a built-in base on generated scenes, on a CPU core or a CUDA GPU.

Seeded: scenes and questions of a step are a function of the seed and the step alone; light and grain of the larger
base follow them, too, but differ between devices. Resumable: the state is written every few hundred steps, and the same
command continues from it; on the CPU to the same result as without a stop.
"""

from __future__ import annotations

import copy
import json
import time
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn
from transformers.models.florence2.modeling_florence2 import shift_tokens_right

from florence2.codec.locations import BINS
from pretraining.batches import Batch, Recipe, batches
from pretraining.heads import CellTargets, TrainingHeads, answer_loss
from pretraining.model import build_model, export_model, first_location_id
from pretraining.replay import Replayed
from pretraining.state import load_state, read_facts, save_state
from pretraining.vocabulary import build_processor

__all__ = ["Trainer", "run", "steps_for"]


class Trainer:
    """Model, heads and optimiser of a run, and the one step they take together."""

    def __init__(self, recipe: Recipe, device: str = "cpu") -> None:
        self.recipe = recipe
        self.device = device
        size = recipe.built
        self.processor: Any = build_processor(size.side, size.image_tokens, size.words)
        self.model = _moved(build_model(size, self.processor, recipe.seed), device)
        self.heads = TrainingHeads(size.width, recipe.course.attributes).to(device)
        self.averaged = copy.deepcopy(self.model)
        self.first_location = first_location_id(self.processor)
        self.step = 0
        self.parameters = [*self.model.parameters(), *self.heads.parameters()]
        self.on_gpu = device.startswith("cuda")
        self.optimizer = torch.optim.AdamW(
            [
                {"params": [p for p in self.parameters if p.ndim > 1], "weight_decay": recipe.weight_decay},
                {"params": [p for p in self.parameters if p.ndim <= 1], "weight_decay": 0.0},
            ],
            lr=torch.tensor(recipe.learning_rate, device=device),
            betas=(0.9, 0.98),
            fused=True,
            capturable=self.on_gpu,
        )
        self._sigma = torch.zeros((), device=device)
        self._replayed = Replayed(self._take) if self.on_gpu and size.is_of_one_shape else None

    def advance(self, batch: Batch) -> dict[str, Tensor]:
        """Take one step and return its losses by name."""
        for group in self.optimizer.param_groups:
            group["lr"].fill_(self.recipe.rate(self.step))
        self._sigma.fill_(self.recipe.sigma(self.step))
        inputs = {"pixels": self._pixels(batch), **batch.tensors(self.device)}
        losses = self._replayed(inputs) if self._replayed else self._take(inputs)
        weights = [list(model.parameters()) for model in (self.averaged, self.model)]
        get_ema_multi_avg_fn(self.recipe.averaging)(*weights, self.step)
        self.step += 1
        return {name: loss.detach() for name, loss in losses.items()}

    def _take(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take one step on tensors of the device. Nothing here may depend on their values: it is replayed."""
        # What autocast caches in one step would be out of date in a replay.
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=self.on_gpu, cache_enabled=False):
            losses = self._losses(inputs)
        self.optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(losses.values())).sum())
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        return losses

    def save(self, path: Path) -> None:
        """Write the state of the run."""
        save_state(path, self._modules(), self.optimizer, {"step": self.step, "recipe": asdict(self.recipe)})

    def load(self, path: Path) -> None:
        """Continue from a saved state of the same recipe.

        Raises:
            ValueError: the state belongs to another recipe.
        """
        facts = read_facts(path)
        if facts["recipe"] != asdict(self.recipe):
            raise ValueError(f"{path} belongs to the recipe {facts['recipe']}; give another --output")
        load_state(path, self._modules(), self.optimizer)
        self.step = int(facts["step"])

    def _modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "heads": self.heads, "average": self.averaged}

    def _losses(self, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
        features = self.model.get_image_features(inputs["pixels"]).pooler_output
        long_loss, encoded = self._answer(features, inputs, "long")
        short_loss, _ = self._answer(features, inputs, "short")
        cells = CellTargets.of(inputs)
        rows = self.model.get_input_embeddings().weight[self.first_location : self.first_location + BINS]
        return {
            "boxes": long_loss,
            "words": short_loss,
            "dense": 0.7 * self.heads.dense_loss(features[:, 1:], cells),
            "locate": 0.25 * self.heads.location_loss(encoded, cells, rows, self._sigma),
        }

    def _pixels(self, batch: Batch) -> Tensor:
        """Return the images as the processor makes them, varied."""
        seeds = (self.recipe.seed, self.step)
        pixels = self.recipe.course.vary(batch.pixels.to(self.device).float() / 255, seeds)
        mean, deviation = (
            torch.tensor(values, device=self.device)[:, None, None]
            for values in (self.processor.image_processor.image_mean, self.processor.image_processor.image_std)
        )
        return (pixels - mean) / deviation

    def _answer(self, features: Tensor, inputs: dict[str, Tensor], which: str) -> tuple[Tensor, Tensor]:
        """Return the loss of answers and the encoder's output at the visual tokens of the grid."""
        ids, labels = inputs[f"{which}.input_ids"], inputs[f"{which}.labels"]
        tokenizer, image_tokens = self.processor.tokenizer, self.recipe.built.image_tokens
        # Prompts start with the image's placeholders.
        embedded = self.model.get_input_embeddings()(ids[:, image_tokens:])
        outputs = self.model.model(
            inputs_embeds=torch.cat([features.to(embedded.dtype), embedded], dim=1),
            attention_mask=inputs[f"{which}.attention_mask"],
            decoder_input_ids=shift_tokens_right(labels, tokenizer.pad_token_id, tokenizer.eos_token_id),
            use_cache=False,
        )
        hidden, labels = outputs.last_hidden_state.flatten(0, 1), labels.flatten()
        if self._replayed is None:
            # The output layer is the most expensive of a small model: only tokens that are trained pass through it.
            counted = labels != -100
            hidden, labels = hidden[counted], labels[counted]
        loss = answer_loss(self.model.lm_head(hidden), labels, self.first_location, self._sigma)
        return loss, outputs.encoder_last_hidden_state[:, 1:image_tokens]


def _moved(module: nn.Module, device: str) -> Any:
    """Return a module on a device; untyped, for transformers annotates ``to`` wrongly."""
    return module.to(device).train()


def run(recipe: Recipe, output: Path, device: str = "cpu", workers: int = 0, save_every: int = 500) -> Path:
    """Train to the end of a recipe, from the state in ``output`` if there is one.

    Args:
        recipe: what to train.
        output: folder of the state, the losses (``losses.jsonl``) and the result.
        device: for example ``cpu`` or ``cuda``.
        workers: processes that draw scenes; 0: this one.
        save_every: steps between two saved states.

    Returns:
        The folder with the finished model; during the run it holds the average of the weights so far.
    """
    output.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(recipe, device)
    state = output / "state.safetensors"
    if state.exists():
        trainer.load(state)
    first, started = trainer.step, time.perf_counter()
    losses_file = output / "losses.jsonl"
    kept = losses_file.read_text(encoding="utf-8").splitlines(keepends=True) if losses_file.exists() else []
    with losses_file.open("w", encoding="utf-8") as log:
        # Steps after the last save are taken again.
        log.writelines(line for line in kept if line.endswith("\n") and json.loads(line)["step"] <= first)
        for batch in batches(recipe, first, workers):
            losses = trainer.advance(batch)
            if trainer.step % 50 == 0 or trainer.step == recipe.steps:
                seconds = (time.perf_counter() - started) / (trainer.step - first)
                line = {"step": trainer.step, **{name: float(loss) for name, loss in losses.items()}}
                line["seconds_per_step"] = seconds
                print(json.dumps({key: round(value, 5) for key, value in line.items()}), file=log, flush=True)
            if trainer.step % save_every == 0 or trainer.step == recipe.steps:
                trainer.save(state)
                export_model(trainer.averaged, trainer.processor, output / "model")
    return output / "model"


def steps_for(recipe: Recipe, minutes: float, device: str, workers: int) -> int:
    """Measure a throw-away run from the middle of the recipe on, and return how many steps fit in the time.

    Args:
        recipe: what would be trained.
        minutes: by the clock, the warm-up left out.
        device: for example ``cpu`` or ``cuda``.
        workers: processes that draw scenes.

    Raises:
        ValueError: the trial ends in losses that are no numbers.
    """
    # What the workers had drawn before the first step would count as drawn in no time, and the first steps choose
    # kernels.
    warm, timed = max(6, 5 * workers * recipe.visits), max(6, 4 * workers * recipe.visits)
    probe = Trainer(replace(recipe, steps=2 * (warm + timed)), device)
    probe.step = warm + timed
    drawn = batches(probe.recipe, probe.step, workers)
    for batch in islice(drawn, warm):
        probe.advance(batch)
    started = time.perf_counter()
    for batch in islice(drawn, timed):
        losses = probe.advance(batch)
    if not all(bool(loss.isfinite()) for loss in losses.values()):
        raise ValueError(f"the losses of a trial are not finite: {losses}; give a lower --learning-rate")
    return max(1, int(minutes * 60 / ((time.perf_counter() - started) / timed)))
