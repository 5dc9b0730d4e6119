"""One process of a fine-tune: load the base, choose what trains, train, and record the end."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from accelerate.utils.memory import should_reduce_batch_size
from transformers import PrinterCallback, TrainerCallback, TrainerState, TrainingArguments, set_seed
from transformers.trainer import TRAINER_STATE_NAME

from florence2.codec import AnswerKind, scan_boxes
from florence2.config import AugmentationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.errors import OutOfMemoryError
from florence2.model import (
    Florence2,
    PixelTransform,
    add_tasks,
    best_device,
    check_answers_fit,
    check_prompts_fit,
    feature_pool,
    fill_features,
    load_exact,
    new_token_ids,
    quiet_transformers,
)
from florence2.storage import ArrayPool
from florence2.training.arguments import samples_of_step, trainer_arguments
from florence2.training.batches import TrainingSamples, collate, pixel_pool
from florence2.training.box_order import with_one_name_per_box
from florence2.training.callbacks import EpochLines, ProgressBar, Track
from florence2.training.monitoring import MetricSink, Monitoring
from florence2.training.objective import AnswerLoss
from florence2.training.run_state import RunState, RunStorage
from florence2.training.sampling import EpochOrder
from florence2.training.stopping import StopRequest
from florence2.training.strategies import learning_rate_of, prepare_strategy, trainable_parameters
from florence2.training.trainer import FineTuner

__all__ = ["Job", "encode", "load_base_of", "make_tuner", "new_word_ids", "progress_of", "run_job"]

logger = logging.getLogger(__name__)

_PACE = ("_runtime", "_per_second")

_FREQUENT = 0.2
"""Share of the answers in JSON that have a token whose embedding trains with LoRA."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """The data that every process of a fine-tune needs.

    Attributes:
        train: the samples to train on.
        valid: the samples to validate on.
        model: the base.
        fingerprint: fingerprint of the base.
        training: the recipe.
        storage: folder of the run, and everything on which its result depends.
        monitoring: receives metrics and evaluates epochs; its sinks are set in the first process only.
        processes: number of processes that train together.
    """

    train: DatasetManifest
    valid: DatasetManifest
    model: ModelConfig
    fingerprint: str
    training: TrainingConfig
    storage: RunStorage
    monitoring: Monitoring
    processes: int


def run_job(job: Job, micro_batch_size: int) -> None:
    """Train in this process, alone or as one of several.

    Args:
        job: the fine-tune.
        micro_batch_size: samples in one forward pass of this process.

    Raises:
        OutOfMemoryError: a micro-batch does not fit into the memory; where this is the only process and it failed
            within an epoch, the state after the last finished step has been saved.
        TrainingError: the training diverged, or a disk is full.
        KeyboardInterrupt: Ctrl-C; the run has been saved.
        SystemExit: SIGTERM; the run has been saved.
    """
    state = RunState(job.storage.folder, job.storage.identity, job.storage.uploaded)
    job, florence2, learning_rate = load_base_of(job)
    for part, (trainable, total) in trainable_parameters(florence2.model).items():
        logger.info("%s: %s of %s parameters train", part, f"{trainable:,}", f"{total:,}")
    with StopRequest() as stop, quiet_transformers():
        trainer = _trainer(job, florence2, learning_rate, micro_batch_size, state, stop)
        try:
            trainer.train_from(state.latest)
        except Exception as exc:
            if not should_reduce_batch_size(exc):
                raise
            if job.processes == 1 and trainer.is_within_epoch and not state.is_saved(trainer.state.global_step):
                trainer.save_now()
            raise OutOfMemoryError(f"a micro-batch of {micro_batch_size} samples does not fit into the memory") from exc
    if trainer.is_world_process_zero():
        with quiet_transformers():
            _finish(trainer, state, also_last=job.storage.latest is not None)


def _finish(trainer: FineTuner, state: RunState, *, also_last: bool) -> None:
    """Record the end of a training; where the weights of its last epoch are requested, they are saved before."""
    history = _history_of(trainer.state.log_history)
    best_step = trainer.state.best_global_step
    assert best_step is not None, "every epoch is validated"
    last_step = trainer.state.global_step if also_last else None
    if last_step is not None and not state.is_saved(last_step):
        trainer.save_weights(last_step)
    state.finish(best_step, last_step=last_step, history=history)


def load_base_of(job: Job) -> tuple[Job, Florence2, float]:
    """Load the base of a job and make what its strategy trains trainable.

    Returns:
        The job, with one name for each box where boxes move; its base; and its peak learning rate.

    Raises:
        DatasetError: an answer or a prompt is too long.
        ModelError: the base cannot be loaded, or the pattern for LoRA's layers matches none.
    """
    training = job.training
    if training.objective.box_order != "given" or training.augmentation != AugmentationConfig():
        job = replace(job, train=with_one_name_per_box(job.train), valid=with_one_name_per_box(job.valid))
    set_seed(training.seed)
    florence2 = load_exact(job.model, job.fingerprint)
    add_tasks(florence2, job.train.tasks)
    for split in (job.train, job.valid):
        check_answers_fit(split, florence2, training.max_target_tokens)
        check_prompts_fit(split, florence2)
    learning_rate = learning_rate_of(training, florence2)
    return job, prepare_strategy(florence2, training, new_word_ids(job.train, florence2)), learning_rate


def progress_of(state: RunState) -> tuple[int | None, list[dict[str, float]]]:
    """Return the best step of an unfinished run, None where no epoch has ended, and its history so far."""
    if state.latest is None:
        return None, []
    trained = TrainerState.load_from_json(str(state.latest / TRAINER_STATE_NAME))
    return trained.best_global_step, _history_of(trained.log_history)


def _history_of(log: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """Return what a trainer logged, without durations, which differ from run to run."""
    entries = [entry for entry in log if "loss" in entry or "eval_loss" in entry]
    return [{name: v for name, v in entry.items() if not name.endswith(_PACE)} for entry in entries]


def new_word_ids(train: DatasetManifest, florence2: Florence2) -> list[int]:
    """Return the ids of new task tokens, and of the tokens in class names, short answers and frequently in JSON.

    LoRA leaves the token embedding frozen, but the rows of words that the base never generated must train. Free text is
    left out: it would be most of the vocabulary.
    """
    texts: set[str] = set()
    objects: list[str] = []
    for token, suffix in zip(train.table["task"], train.table["suffix"], strict=True):
        kind = train.tasks[token].answer
        if kind is AnswerKind.BOXES:
            texts.update(span.class_name for span in scan_boxes(suffix)[0])
        elif kind is AnswerKind.ANSWER:
            texts.add(suffix)
        elif kind is AnswerKind.JSON:
            objects.append(suffix)
    texts_in_order = sorted(texts)
    encoded = florence2.tokenizer(texts_in_order, add_special_tokens=False)["input_ids"] if texts else []
    words = {word for ids in encoded for word in ids}
    return sorted({*words, *_frequent_ids(objects, florence2), *new_token_ids(florence2, train.tasks)})


def _frequent_ids(answers: Sequence[str], florence2: Florence2) -> set[int]:
    """Return the tokens of many answers: of JSON these are the names of its fields and what is written around them."""
    if not answers:
        return set()
    encoded = florence2.tokenizer(list(answers), add_special_tokens=False)["input_ids"]
    counts = Counter(token for ids in encoded for token in set(ids))
    return {token for token, count in counts.items() if count >= _FREQUENT * len(answers)}


def _trainer(
    job: Job,
    florence2: Florence2,
    learning_rate: float,
    micro_batch_size: int,
    state: RunState,
    stop: StopRequest,
) -> FineTuner:
    training, evaluator = job.training, job.monitoring.evaluator
    best_by, higher_is_better = (evaluator.score, evaluator.higher_is_better) if evaluator else ("loss", False)
    arguments = trainer_arguments(
        training,
        learning_rate,
        job.storage.folder,
        rows=len(job.train),
        micro_batch_size=micro_batch_size,
        processes=job.processes,
        best_by=best_by,
        higher_is_better=higher_is_better,
    )
    arguments.eval_on_start = job.monitoring.evaluate_base and state.latest is None
    with arguments.main_process_first(desc="images"):
        samples = encode(job, florence2)
    callbacks = _callbacks(job.monitoring.sink, arguments.process_index, training)
    return make_tuner(job, florence2, samples, arguments, state=state, stop=stop, callbacks=callbacks)


def encode(job: Job, florence2: Florence2) -> tuple[TrainingSamples, TrainingSamples]:
    """Return the samples of the training and of the validation split, encoded for a model."""
    training, pool = job.training, _pool(job, florence2)
    samples = partial(TrainingSamples, florence2=florence2, objective=training.objective, seed=training.seed, pool=pool)
    return samples(job.train, augmentation=training.augmentation), samples(job.valid, augmentation=None)


def make_tuner(
    job: Job,
    florence2: Florence2,
    samples: tuple[TrainingSamples, TrainingSamples],
    arguments: TrainingArguments,
    **options: Any,
) -> FineTuner:
    """Return the trainer of a job.

    Args:
        job: the fine-tune.
        florence2: its base, from ``load_base_of``.
        samples: from ``encode``.
        arguments: of the trainer.
        options: further arguments of ``FineTuner``.
    """
    training, (train, valid) = job.training, samples
    trainer = FineTuner(
        args=arguments,
        florence2=florence2,
        train=train,
        valid=valid,
        order=EpochOrder(
            train.answer_lengths, samples_of_step(training), training.seed, grouped=training.group_by_length
        ),
        loss=AnswerLoss.of(training.objective, florence2.tokenizer),
        save_minutes=training.engine.save_minutes,
        patience=training.patience,
        monitoring=job.monitoring,
        data_collator=partial(collate, pad_id=florence2.tokenizer.pad_token_id),
        **options,
    )
    # It prints Python dictionaries; EpochLines logs the same values as text.
    trainer.remove_callback(PrinterCallback)
    return trainer


def _pool(job: Job, florence2: Florence2) -> ArrayPool:
    """Return the cache of a job's images: features where all of them fit, else pixels."""
    engine = job.training.engine
    files = _files(job.train) | _files(job.valid)
    if job.training.strategy == "freeze" and engine.feature_cache_gib:
        pool = feature_pool(florence2, job.fingerprint, engine.feature_cache_gib)
        needed = len(files) * pool.array_bytes / 2**30
        if job.training.augmentation != AugmentationConfig():
            logger.info("augmented images differ each time: the features of the vision tower are not kept")
        elif pool.admit(files) == len(files):
            for done in fill_features(florence2, pool, files, torch.device(best_device())):
                logger.info("features of %d images are computed by the frozen vision tower", done)
            return pool
        else:
            logger.warning(
                "training.engine.feature_cache_gib %g is less than the %.1f GiB that %d images need: "
                "their features are computed again in every epoch",
                engine.feature_cache_gib,
                needed,
                len(files),
            )
    pool = pixel_pool(PixelTransform.of(florence2.processor), engine.image_cache_gib)
    pool.admit(files)
    return pool


def _files(manifest: DatasetManifest) -> dict[str, Path]:
    root = manifest.fetch_root()
    return {name: root / image for name, image in zip(manifest.table["sha256"], manifest.table["image"], strict=True)}


def _callbacks(sink: MetricSink | None, process: int, training: TrainingConfig) -> list[TrainerCallback]:
    callbacks: list[TrainerCallback] = []
    if process == 0:
        has_bar = sys.stderr.isatty()
        callbacks.append(EpochLines(between=not has_bar))
        if has_bar:
            callbacks.append(ProgressBar())
        if sink is not None:
            callbacks.append(Track(sink, samples_of_step(training)))
    return callbacks
