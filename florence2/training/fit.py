"""The fine-tune: Florence-2 on ``transformers.Trainer``, best checkpoint by validation loss."""

from __future__ import annotations

import logging
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments, set_seed

from florence2.codec.answers import scan_boxes
from florence2.codec.tasks import TASKS, AnswerKind
from florence2.config import ModelConfig, TrainingConfig
from florence2.data.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.model.base import BUILTIN_MODELS, Florence2, base_fingerprint, load_base
from florence2.model.checkpoint import Checkpoint
from florence2.model.lora import add_lora, trainable_parameters
from florence2.model.processing import Collator, Sample, check_target_lengths, samples_of
from florence2.model.quiet import quiet_transformers
from florence2.training.callbacks import EpochLines, MetricSink, Track

__all__ = ["default_learning_rate", "fit", "new_word_ids"]

logger = logging.getLogger(__name__)

_LOGS_PER_EPOCH = 5

_LEARNING_RATES = {("lora", True): 4e-3, ("full", True): 1e-3, ("lora", False): 1e-4, ("full", False): 1e-5}


def fit(
    splits: DatasetManifest,
    model: ModelConfig,
    training: TrainingConfig,
    output: Path,
    sink: MetricSink | None = None,
) -> Checkpoint:
    """Fine-tune a base model on the ``train`` split and keep the epoch that is best on ``valid``.

    Args:
        splits: a clean manifest with splits.
        model: the base to start from.
        training: the recipe.
        output: folder for the checkpoint; made if absent, must be empty otherwise.
        sink: receives losses while the training runs.

    Returns:
        The checkpoint of the epoch with the lowest validation loss.

    Raises:
        DatasetError: a split is empty or an answer too long.
        ModelError: the base cannot be loaded.
    """
    train, valid = splits.select("train"), splits.select("valid")
    for name, split in (("train", train), ("valid", valid)):
        if not len(split):
            raise DatasetError(f"the {name} split of {splits.root} is empty")
    set_seed(training.seed)
    fingerprint = base_fingerprint(model)
    florence2 = load_base(model)
    check_target_lengths(splits.select("train"), florence2, training.max_target_tokens)
    if training.strategy == "lora":
        florence2 = add_lora(florence2, training.lora, new_word_ids(train, florence2))
    for part, (trainable, total) in trainable_parameters(florence2.model).items():
        logger.info("%s: %s of %s parameters train", part, f"{trainable:,}", f"{total:,}")

    work = output / "trainer"
    trainer = Trainer(
        model=florence2.model,
        args=_arguments(model, training, work, steps_per_epoch=-(-len(train) // training.batch_size)),
        train_dataset=_Samples(train),
        eval_dataset=_Samples(valid),
        data_collator=Collator(florence2),
        callbacks=_callbacks(sink),
    )
    # Its lines are Python dictionaries; EpochLines says the same to a person.
    trainer.remove_callback(PrinterCallback)
    with quiet_transformers():
        trainer.train()
        checkpoint = _write_checkpoint(trainer, florence2, model, training, fingerprint, output)
    shutil.rmtree(work)
    return checkpoint


def new_word_ids(train: DatasetManifest, florence2: Florence2) -> list[int]:
    """Return the ids of the tokens that name classes and answers in the training split.

    LoRA leaves the token embedding frozen; a class name made of words that the base never wrote needs its
    rows trained. Free text is left out: it would be most of the vocabulary.
    """
    texts: set[str] = set()
    for prefix, suffix in zip(train.table["task"], train.table["suffix"], strict=True):
        kind = TASKS[prefix].answer
        if kind is AnswerKind.BOXES:
            texts.update(span.class_name for span in scan_boxes(suffix)[0])
        elif kind is AnswerKind.ANSWER:
            texts.add(suffix)
    ordered = sorted(texts)
    encoded = florence2.tokenizer(ordered, add_special_tokens=False)["input_ids"] if ordered else []
    return sorted({token for ids in encoded for token in ids})


class _Samples(Dataset[Sample]):
    """The rows of a split as a torch data set."""

    def __init__(self, manifest: DatasetManifest) -> None:
        self._samples = samples_of(manifest)

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]


def default_learning_rate(model: ModelConfig, training: TrainingConfig) -> float:
    """Return the peak learning rate that suits a base and a strategy.

    The built-in base is a hundred times smaller than Florence-2-base and learns best at a rate that would
    tear the big one apart.
    """
    small = model.base in BUILTIN_MODELS
    return _LEARNING_RATES[(training.strategy, small)]


def _arguments(model: ModelConfig, training: TrainingConfig, work: Path, steps_per_epoch: int) -> TrainingArguments:
    cuda = torch.cuda.is_available()
    schedules = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
    updates = -(-steps_per_epoch // training.gradient_accumulation) * training.epochs
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.gradient_accumulation,
        learning_rate=training.learning_rate or default_learning_rate(model, training),
        warmup_steps=round(training.warmup * updates),
        lr_scheduler_type=schedules[training.schedule],
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        # bfloat16 pays on GPUs that have it; on CPUs it is slower than float32.
        bf16=cuda and torch.cuda.is_bf16_supported(),
        seed=training.seed,
        data_seed=training.seed,
        dataloader_num_workers=training.loader_workers,
        dataloader_pin_memory=cuda,
        eval_strategy="epoch",
        save_strategy="best",
        metric_for_best_model="eval_loss",
        greater_is_better=False,
        load_best_model_at_end=True,
        save_total_limit=1,
        save_only_model=True,
        prediction_loss_only=True,
        label_names=["labels"],
        remove_unused_columns=False,
        logging_steps=max(1, updates // training.epochs // _LOGS_PER_EPOCH),
        report_to=[],
        disable_tqdm=not sys.stderr.isatty(),
    )


def _callbacks(sink: MetricSink | None) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = [EpochLines()]
    if sink is not None:
        callbacks.append(Track(sink))
    return callbacks


def _write_checkpoint(
    trainer: Trainer,
    florence2: Florence2,
    model: ModelConfig,
    training: TrainingConfig,
    fingerprint: str,
    output: Path,
) -> Checkpoint:
    """Save the best weights, which the trainer has loaded again, and what is known about them."""
    trained: Any = trainer.accelerator.unwrap_model(trainer.model)
    if training.strategy == "lora":
        trained.save_pretrained(output / "adapter")
    else:
        trained.save_pretrained(output / "model")
        florence2.processor.save_pretrained(output / "model")
    history = [{k: float(v) for k, v in entry.items()} for entry in trainer.state.log_history]
    best = min((entry for entry in history if "eval_loss" in entry), key=lambda entry: entry["eval_loss"])
    checkpoint = Checkpoint(
        folder=output,
        strategy=training.strategy,
        base=model.base,
        base_revision=model.revision,
        base_fingerprint=fingerprint,
        epoch=best["epoch"],
        metrics={"eval_loss": best["eval_loss"]},
        history=tuple(history),
    )
    checkpoint.write_card()
    return checkpoint
