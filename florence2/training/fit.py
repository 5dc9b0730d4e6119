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
from florence2.errors import DatasetError, ModelError, TrainingError
from florence2.model.base import Florence2, base_fingerprint, load_exact
from florence2.model.checkpoint import Checkpoint
from florence2.model.lora import add_lora, trainable_parameters
from florence2.model.processing import Collator, Sample, check_answers_fit, check_prompts_fit, samples_of
from florence2.model.quiet import quiet_transformers
from florence2.training.callbacks import EpochLines, MetricSink, ProgressBar, Track

__all__ = ["default_learning_rate", "fit", "new_word_ids"]

logger = logging.getLogger(__name__)

_LOGS_PER_EPOCH = 5

_SMALL = 20_000_000
"""Parameters below which a model counts as small."""

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
        DatasetError: a split is empty, or an answer or prompt too long.
        ModelError: the base cannot be loaded, or the output folder is not empty.
        TrainingError: the training diverged.
    """
    train, valid = splits.select("train"), splits.select("valid")
    for name, split in (("train", train), ("valid", valid)):
        if not len(split):
            raise DatasetError(f"the {name} split of {splits.root} is empty")
    if output.exists() and any(output.iterdir()):
        raise ModelError(f"{output} is not empty: a checkpoint needs a folder of its own")
    set_seed(training.seed)
    fingerprint = base_fingerprint(model)
    florence2 = load_exact(model, fingerprint)
    for split in (train, valid):
        check_answers_fit(split, florence2, training.max_target_tokens)
        check_prompts_fit(split, florence2)
    learning_rate = training.learning_rate or default_learning_rate(training.strategy, florence2)
    if training.strategy == "lora":
        florence2 = add_lora(florence2, training.lora, new_word_ids(train, florence2))
    for part, (trainable, total) in trainable_parameters(florence2.model).items():
        logger.info("%s: %s of %s parameters train", part, f"{trainable:,}", f"{total:,}")

    work = output / "trainer"
    try:
        trainer = Trainer(
            model=florence2.model,
            args=_arguments(training, learning_rate, work),
            train_dataset=_Samples(train),
            eval_dataset=_Samples(valid),
            data_collator=Collator(florence2.processor),
            callbacks=_callbacks(sink),
        )
        # Its lines are Python dictionaries; EpochLines says the same to a person.
        trainer.remove_callback(PrinterCallback)
        with quiet_transformers():
            trainer.train()
            if trainer.state.best_model_checkpoint is None:
                raise TrainingError(f"the loss is no longer a number; lower training.learning_rate ({learning_rate:g})")
            return _write_checkpoint(trainer, florence2, model, training, fingerprint, output)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def default_learning_rate(strategy: str, florence2: Florence2) -> float:
    """Return the peak learning rate that suits a strategy and a size of model.

    The built-in base is a hundred times smaller than Florence-2-base and learns best at a rate that would tear
    the big one apart.
    """
    return _LEARNING_RATES[strategy, florence2.model.num_parameters() < _SMALL]


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


def _arguments(training: TrainingConfig, learning_rate: float, work: Path) -> TrainingArguments:
    cuda = torch.cuda.is_available()
    schedules = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}
    return TrainingArguments(
        output_dir=str(work),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=training.batch_size,
        gradient_accumulation_steps=training.gradient_accumulation,
        learning_rate=learning_rate,
        # Shares of all steps, which the trainer counts over however many GPUs there are.
        warmup_steps=training.warmup,
        logging_steps=1 / (_LOGS_PER_EPOCH * training.epochs),
        lr_scheduler_type=schedules[training.schedule],
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        # bfloat16 pays on GPUs that have it; elsewhere it is emulated and slower than float32.
        bf16=cuda and torch.cuda.is_bf16_supported(including_emulation=False),
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
        report_to=[],
        disable_tqdm=True,  # ProgressBar takes its place
    )


def _callbacks(sink: MetricSink | None) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = [EpochLines()]
    if sys.stderr.isatty():
        callbacks.append(ProgressBar())
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
        # The name that the user gave, not the path under which it was found on this machine.
        trained.peft_config["default"].base_model_name_or_path = model.base
        # Tied embeddings stay as they are but for the trained rows, which the adapter holds by itself.
        trained.save_pretrained(output / "adapter", save_embedding_layers=False)
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
