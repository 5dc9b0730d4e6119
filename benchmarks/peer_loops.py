"""The training loops that the engine is measured against, made anew from their descriptions.

``plain`` is the loop that one writes in an afternoon with transformers: the processor in the collator, no workers,
AdamW as PyTorch gives it. ``maestro`` is that of roboflow/maestro 1.1.0rc1: the same, but the padding is part of the
loss, the rate is constant, and LoRA names layers that Florence-2 does not have. ``bare`` is not a loop at all, only
forward, backward and a fused AdamW step on prepared batches: the floor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from torch.utils.data import DataLoader
from transformers import get_scheduler

from benchmarks.stopwatch import Spent, Stopwatch
from florence2.codec.tasks import TASKS
from florence2.config import AugmentationConfig, ObjectiveConfig, TrainingConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.model.florence import Florence2
from florence2.model.pixels import PixelTransform
from florence2.model.processing import IGNORED, Sample, samples_of
from florence2.storage.array_pool import ArrayPool
from florence2.training.batches import TrainingSamples, collate, pixel_pool
from florence2.training.job import new_word_ids
from florence2.training.sampling import EpochOrder
from florence2.training.strategies import prepare_strategy

__all__ = ["PEERS", "Peer", "answer_loss", "bare_steps", "engine_batches", "peer_epochs"]

_MAESTRO_LORA = ("q_proj", "k_proj", "v_proj", "o_proj", "linear", "Conv2d", "lm_head", "fc2")
"""Its layers, by name: ``fc2`` is in both towers; ``o_proj``, ``linear`` and ``Conv2d`` are in none."""


@dataclass(frozen=True)
class Peer:
    """What differs between the loops.

    Attributes:
        masks_padding: whether padding is left out of the loss.
        schedule: transformers' name of the course of the learning rate.
        own_lora: whether LoRA goes where maestro puts it rather than where the engine does.
    """

    masks_padding: bool
    schedule: str
    own_lora: bool


PEERS = {"plain": Peer(True, "linear", False), "maestro": Peer(False, "constant", True)}


def peer_epochs(
    peer: Peer, florence2: Florence2, train: DatasetManifest, training: TrainingConfig, rate: float
) -> Iterator[tuple[Any, list[Spent]]]:
    """Train as a peer does.

    Args:
        peer: which.
        florence2: the base; changed in place.
        train: the samples.
        training: batch, epochs, strategy and seed count.
        rate: peak learning rate.

    Yields:
        After each epoch the model and what each of its steps took, the loading of the batch included.
    """
    torch.manual_seed(training.seed)
    model = _prepared(peer, florence2, train, training)
    loader: DataLoader[Any] = DataLoader(
        samples_of(train),  # type: ignore[arg-type]
        batch_size=training.batch_size,
        shuffle=True,
        collate_fn=_collator(florence2, peer.masks_padding),
    )
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate)
    schedule = get_scheduler(peer.schedule, optimizer, 0, training.epochs * len(loader))
    for _ in range(training.epochs):
        model.train()
        steps, watch = [], Stopwatch()
        for batch in loader:
            model(**batch).loss.backward()
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            steps.append(watch.lap())
        yield model, steps


def _prepared(peer: Peer, florence2: Florence2, train: DatasetManifest, training: TrainingConfig) -> Any:
    if training.strategy != "lora" or not peer.own_lora:
        return prepare_strategy(florence2, training, new_word_ids(train, florence2)).model
    from peft import LoraConfig, get_peft_model

    lora = LoraConfig(r=8, lora_alpha=8, lora_dropout=0.05, use_rslora=True, target_modules=list(_MAESTRO_LORA))
    return get_peft_model(florence2.model, lora)


def _collator(florence2: Florence2, masks_padding: bool) -> Callable[[list[Sample]], dict[str, torch.Tensor]]:
    processor: Any = florence2.processor

    def collate_samples(samples: list[Sample]) -> dict[str, torch.Tensor]:
        images = [Image.open(sample.image).convert("RGB") for sample in samples]
        texts = [TASKS.prompt_of(sample.prefix) for sample in samples]
        batch = processor(images=images, text=texts, return_tensors="pt", padding=True)
        answers = florence2.tokenizer([sample.suffix for sample in samples], return_tensors="pt", padding=True)
        labels = answers["input_ids"]
        if masks_padding:
            labels = labels.masked_fill(answers["attention_mask"] == 0, IGNORED)
        given = {name: batch[name] for name in ("pixel_values", "input_ids")}
        # Without a mask the padding of a question is read as text.
        masks = {"attention_mask": batch["attention_mask"]} if masks_padding else {}
        return given | masks | {"labels": labels}

    return collate_samples


# --- the floor, and the loss of all sides ----------------------------------------------------------------------------


def engine_batches(
    florence2: Florence2, rows: DatasetManifest, batch_size: int, pool: ArrayPool | None = None
) -> list[dict[str, torch.Tensor]]:
    """Return the batches of the engine's first epoch, ready for the model.

    Args:
        florence2: the base.
        rows: samples for the batches.
        batch_size: samples in each.
        pool: of decoded images; None: they are decoded here.
    """
    transform = PixelTransform.of(florence2.processor)
    examples = TrainingSamples(
        rows, florence2, ObjectiveConfig(), AugmentationConfig(), 0, pool or pixel_pool(transform, 0.0)
    )
    order = list(EpochOrder(examples.answer_lengths, batch_size, 0, grouped=True))
    batches = []
    for start in range(0, len(order), batch_size):
        batch = collate(examples.__getitems__(order[start : start + batch_size]), florence2.tokenizer.pad_token_id)
        del batch["rows"]
        batches.append(batch | {"pixel_values": transform.normalise(batch["pixel_values"])})
    return batches


def bare_steps(model: Any, batches: Sequence[dict[str, torch.Tensor]], rate: float) -> list[Spent]:
    """Train on prepared batches and return the seconds of each step.

    Args:
        model: with those parameters trainable that shall be.
        batches: ready for the model.
        rate: learning rate.
    """
    model.train()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=rate, fused=True)
    steps, watch = [], Stopwatch()
    for batch in batches:
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        steps.append(watch.lap())
    return steps


def answer_loss(model: Any, batches: Sequence[dict[str, torch.Tensor]]) -> float:
    """Return the mean cross-entropy per token of the right answers, padding left out."""
    model.eval()
    total, tokens = 0.0, 0
    with torch.no_grad():
        for batch in batches:
            kept = int((batch["labels"] != IGNORED).sum())
            total += float(model(**batch).loss) * kept
            tokens += kept
    return total / tokens
