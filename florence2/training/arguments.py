"""Translation of a recipe into ``transformers.TrainingArguments``."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import TrainingArguments

from florence2.config import TrainingConfig, core_count

__all__ = ["loader_workers", "optimizer_steps", "samples_of_step", "trainer_arguments", "uses_bfloat16"]

_LOGS_PER_EPOCH = 5
_STEPS_PER_LOG = 50
_MOST_WORKERS = 8
_BATCHES_AHEAD = 4
_DAYS_TO_WAIT = 7
"""Timeout of the other processes while the first one alone fills caches or evaluates the validation split."""
_SCHEDULES = {"cosine": "cosine", "linear": "linear", "constant": "constant_with_warmup"}


def trainer_arguments(
    training: TrainingConfig,
    learning_rate: float,
    run: Path,
    *,
    rows: int,
    micro_batch_size: int,
    processes: int,
    best_by: str,
    higher_is_better: bool,
) -> TrainingArguments:
    """Return the arguments of a trainer.

    Args:
        training: the recipe.
        learning_rate: its peak.
        run: folder for saves.
        rows: number of samples of the training split.
        micro_batch_size: samples in one forward pass of one process; gradients are accumulated to the batch of the
            recipe.
        processes: number of processes that train together.
        best_by: score by which the best epoch is chosen.
        higher_is_better: whether a larger score is better.
    """
    cuda = torch.cuda.is_available()
    workers = loader_workers(training)
    steps_per_epoch = optimizer_steps(rows, training) // training.epochs
    arguments = TrainingArguments(
        output_dir=str(run),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=micro_batch_size,
        per_device_eval_batch_size=micro_batch_size,
        gradient_accumulation_steps=training.gradient_accumulation
        * training.batch_size
        // (micro_batch_size * processes),
        learning_rate=learning_rate,
        warmup_steps=training.warmup,  # below 1: a share of all steps
        logging_steps=max(1, min(_STEPS_PER_LOG, steps_per_epoch // _LOGS_PER_EPOCH)),
        logging_nan_inf_filter=False,  # FineTuner stops at the first one
        lr_scheduler_type=_SCHEDULES[training.schedule],
        optim="adamw_torch_fused",
        weight_decay=training.weight_decay,
        max_grad_norm=training.max_grad_norm,
        bf16=uses_bfloat16(training),
        activation_checkpointing=training.engine.gradient_checkpointing,
        use_cpu=not cuda,
        ddp_backend="gloo" if processes > 1 and not cuda else None,
        ddp_find_unused_parameters=False,
        ddp_timeout=_DAYS_TO_WAIT * 24 * 3600,
        seed=training.seed,
        data_seed=training.seed,
        dataloader_num_workers=workers,
        dataloader_prefetch_factor=_BATCHES_AHEAD if workers else None,
        dataloader_pin_memory=cuda,
        eval_strategy="epoch",
        save_strategy="best",
        metric_for_best_model=f"eval_{best_by}",
        greater_is_better=higher_is_better,
        label_names=["labels"],
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,  # ProgressBar replaces it
    )
    if processes == 1 and arguments.n_gpu > 1:
        arguments._n_gpu = 1  # otherwise the trainer would split each batch over all GPUs by torch's DataParallel
    return arguments


def optimizer_steps(rows: int, training: TrainingConfig) -> int:
    """Return the number of weight updates of a fine-tune on so many samples that is not stopped early."""
    return training.epochs * -(-rows // samples_of_step(training))


def samples_of_step(training: TrainingConfig) -> int:
    """Return the number of samples of a weight update, over all processes and accumulated batches."""
    return training.batch_size * training.gradient_accumulation


def uses_bfloat16(training: TrainingConfig) -> bool:
    """Return whether to compute in bfloat16: faster on GPUs that support it, emulated and slower elsewhere."""
    if training.precision == "auto":
        return torch.cuda.is_available() and torch.cuda.is_bf16_supported(including_emulation=False)
    return training.precision == "bfloat16"


def loader_workers(training: TrainingConfig) -> int:
    """Return the number of processes that decode images during the training."""
    if training.engine.loader_workers is not None:
        return training.engine.loader_workers
    if not torch.cuda.is_available():
        return 0  # all cores train, and decoded images are cached
    return max(0, min(_MOST_WORKERS, core_count() - 1))
