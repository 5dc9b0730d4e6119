"""Estimate of what a fine-tune costs on this machine, from a few of its steps on a copy of the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
import torch

from florence2.config import AUTO_RATE, AugmentationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.model import FrozenVision, PixelTransform, add_tasks, best_device, feature_pool, load_base
from florence2.training.arguments import loader_workers, optimizer_steps, uses_bfloat16
from florence2.training.batches import TrainingSamples, collate, pixel_pool
from florence2.training.box_order import with_one_name_per_box
from florence2.training.callbacks import memory_gib
from florence2.training.job import new_word_ids
from florence2.training.launch import process_count
from florence2.training.rate_search import RateSearchPlan, plan_rate_search
from florence2.training.strategies import learning_rate_of, prepare_strategy, trainable_parameters

__all__ = ["TrainingCost", "probe_training"]

_SECONDS = 5.0
"""Time for the timed steps; a batch that takes longer is timed by one of its samples."""

_MOST_STEPS = 8


@dataclass(frozen=True)
class TrainingCost:
    """The cost of a fine-tune without its saves and without generating answers in the validation.

    Attributes:
        parameters: trainable and all parameters of each part of the model.
        learning_rate: peak of the schedule; the middle one where it is searched for.
        steps: updates of the weights, unless it is stopped early.
        train_seconds: time of the steps of all epochs, with the decoding of their images.
        valid_seconds: time of the validation loss after all epochs.
        memory_gib: peak of the GPU where there is one, else of the process.
        search: what the search for the learning rate costs; None where there is none.
        timed: what was timed, in words.
    """

    parameters: Mapping[str, tuple[int, int]]
    learning_rate: float
    steps: int
    train_seconds: float
    valid_seconds: float
    memory_gib: float
    search: RateSearchPlan | None
    timed: str

    @property
    def search_seconds(self) -> float:
        """Return the time of the search for the learning rate, at most."""
        return self.search.share * self.train_seconds if self.search else 0.0


def probe_training(
    train: DatasetManifest, valid: DatasetManifest, model: ModelConfig, training: TrainingConfig
) -> TrainingCost:
    """Load a base and time some steps of a fine-tune; no file is written and the trained copy is dropped.

    The time is that of the median step, times the number of steps. The memory is the peak of these steps; where one
    sample was timed for a batch, the tensors that autograd keeps for a sample are added for each of the others.

    Args:
        train: samples of the training split.
        valid: samples of the validation split; only their number is used.
        model: the base.
        training: the recipe.

    Raises:
        ModelError: the base cannot be loaded, or the pattern for LoRA's layers matches none.
        ConfigurationError: the batch cannot be divided evenly among the processes.
    """
    micro_batch_size = training.batch_size // process_count(training)
    bench = _Bench(train, valid, model, training)
    size, steps, batch = 1, 1, bench.batch(1)
    seconds = bench.step(batch)  # the first one also warms up
    if seconds < _SECONDS:
        seconds = bench.step(batch)
    if seconds * micro_batch_size <= _SECONDS:
        size, batch = micro_batch_size, bench.batch(micro_batch_size)
        first = bench.step(batch)
        steps = max(1, min(_MOST_STEPS, int(_SECONDS / max(first, 1e-6))))
        seconds = median(bench.step(batch) for _ in range(steps))
    validating = bench.clock(partial(bench.validate, batch)) / size
    kept = 0 if size == micro_batch_size else bench.kept_bytes(batch) * (micro_batch_size - size)
    samples = training.epochs * len(train) / max(1, process_count(training))
    decoding = bench.seconds_of_images(len(train))
    computing = samples * seconds / size
    workers = loader_workers(training)
    return TrainingCost(
        parameters=bench.parameters,
        learning_rate=bench.learning_rate,
        steps=optimizer_steps(len(train), training),
        train_seconds=max(computing, decoding / workers) if workers else computing + decoding,
        valid_seconds=training.epochs * len(valid) * validating,
        memory_gib=memory_gib() + kept / 2**30,
        search=plan_rate_search(len(train), len(valid), training) if training.learning_rate == AUTO_RATE else None,
        timed=f"{steps} {'step' if steps == 1 else 'steps'} with micro-batches of {size} of {micro_batch_size} samples",
    )


class _Bench:
    """A model that trains on a few samples, and a clock."""

    def __init__(
        self, train: DatasetManifest, valid: DatasetManifest, model: ModelConfig, training: TrainingConfig
    ) -> None:
        florence2 = load_base(model)
        add_tasks(florence2, train.tasks)
        self.learning_rate = learning_rate_of(training, florence2)
        florence2 = prepare_strategy(florence2, training, new_word_ids(train, florence2))
        self.parameters = trainable_parameters(florence2.model)
        self._training, self._device = training, torch.device(best_device())
        self._florence2, self._transform = florence2, PixelTransform.of(florence2.processor)
        trained: Any = florence2
        self._model = trained.model.to(self._device).train()
        if training.engine.gradient_checkpointing:
            self._model.activation_checkpointing_enable()
        trainable = [parameter for parameter in self._model.parameters() if parameter.requires_grad]
        self._optimizer = torch.optim.AdamW(trainable, lr=0.0)
        rows = np.linspace(0, len(train) - 1, min(len(train), training.batch_size)).round().astype(int)
        few = train.replace_rows(train.table.iloc[rows].reset_index(drop=True))
        if training.objective.box_order != "given" or training.augmentation != AugmentationConfig():
            few = with_one_name_per_box(few)
        samples = TrainingSamples(
            few, florence2, training.objective, training.augmentation, training.seed, pixel_pool(self._transform, 0)
        )
        started = time.perf_counter()
        self._samples = samples.__getitems__(range(len(few)))
        self._decoding = (time.perf_counter() - started) / len(few)
        self._towers = [module for module in self._model.modules() if isinstance(module, FrozenVision)]
        self._vision_seconds = 0.0
        self._images = len({*train.table["sha256"], *valid.table["sha256"]})
        self._keeps_features = self._do_features_fit()

    def batch(self, size: int) -> dict[str, torch.Tensor]:
        """Return a batch on the device: with features where a cache keeps them, else with pixels."""
        batch = collate(self._samples[:size], self._florence2.tokenizer.pad_token_id)
        del batch["rows"]
        batch = {name: values.to(self._device) for name, values in batch.items()}
        batch["pixel_values"] = self._transform.normalise(batch["pixel_values"])
        if self._keeps_features:
            pixels = batch["pixel_values"]
            self._vision_seconds = self.clock(partial(self._features, pixels)) / len(pixels)
            batch["pixel_values"] = self._features(pixels)
        return batch

    def step(self, batch: Mapping[str, torch.Tensor]) -> float:
        """Train on a batch at a learning rate of 0 and return the seconds."""
        return self.clock(partial(self._train, batch))

    def validate(self, batch: Mapping[str, torch.Tensor]) -> None:
        """Compute the loss without gradients."""
        self._model.eval()
        with torch.no_grad(), self._precision():
            self._model(**batch)
        self._model.train()

    def clock(self, work: Callable[[], Any]) -> float:
        """Return the seconds of a computation."""
        self._wait()
        started = time.perf_counter()
        work()
        self._wait()
        return time.perf_counter() - started

    def kept_bytes(self, batch: Mapping[str, torch.Tensor]) -> int:
        """Return the bytes that autograd keeps of the forward pass, without the weights."""
        weights = {parameter.untyped_storage().data_ptr() for parameter in self._model.parameters()}
        kept: dict[int, int] = {}

        def note(tensor: torch.Tensor) -> torch.Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in weights:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor), self._precision():
            loss = self._model(**batch).loss
        total = sum(kept.values())
        del loss
        return total

    def seconds_of_images(self, rows: int) -> float:
        """Return the time of all decoding, and of a frozen tower that computes features once for all epochs.

        Args:
            rows: number of samples of the training split.
        """
        training, once = self._training, self._images * (self._decoding + self._vision_seconds)
        if self._keeps_features:
            return once
        if training.augmentation != AugmentationConfig():
            return training.epochs * rows * self._decoding
        width, height = self._transform.size_wh
        held = min(1.0, training.engine.image_cache_gib * 2**30 / (3 * width * height * self._images))
        return once * (1 + (training.epochs - 1) * (1 - held))

    def _train(self, batch: Mapping[str, torch.Tensor]) -> None:
        with self._precision():
            loss = self._model(**batch).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._training.max_grad_norm)
        self._optimizer.step()
        self._optimizer.zero_grad()

    def _do_features_fit(self) -> bool:
        if not self._towers or self._training.augmentation != AugmentationConfig():
            return False
        limit = self._training.engine.feature_cache_gib
        return self._images * feature_pool(self._florence2, "", limit).array_bytes <= limit * 2**30

    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            features: torch.Tensor = self._towers[0].tower.to(self._device)(pixels).last_hidden_state
        return features

    def _precision(self) -> Any:
        return torch.autocast(self._device.type, torch.bfloat16, enabled=uses_bfloat16(self._training))

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize()
