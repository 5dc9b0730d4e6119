"""The fine-tune: from samples and a base to the checkpoint of the best epoch."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from florence2.codec import dump_tasks
from florence2.config import AUTO_RATE, Effect, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError, DatasetError, Florence2Error, ModelError, TrainingError
from florence2.model import (
    Checkpoint,
    add_tasks,
    base_fingerprint,
    best_device,
    load_exact,
    quiet_transformers,
    unseen_gpu,
)
from florence2.storage import CheckpointFiles, atomic_path
from florence2.training.job import Job, progress_of
from florence2.training.launch import launch, process_count
from florence2.training.monitoring import MetricSink, Monitoring
from florence2.training.run_state import RunState, RunStorage, is_full
from florence2.training.trained_classes import trained_classes

__all__ = ["fit", "run_identity"]

logger = logging.getLogger(__name__)

_LIBRARIES = ("florence2-finetune", "torch", "transformers", "accelerate", "peft")
_UNMONITORED = Monitoring()


def fit(
    splits: DatasetManifest,
    model: ModelConfig,
    training: TrainingConfig,
    output: Path,
    *,
    storage: RunStorage | None = None,
    monitoring: Monitoring = _UNMONITORED,
) -> Checkpoint:
    """Fine-tune a base model on the ``train`` split and keep the epoch that is best on ``valid``.

    A killed run that is started again with the same ``storage`` continues from its last save and ends with the weights
    of an uninterrupted one; on the CPU they are equal to the bit. Where ``storage.latest`` is set, an interrupted run
    leaves its best epoch so far in the output, which is replaced later; where the last epoch is the best, both
    checkpoints share their files.

    Args:
        splits: a clean manifest with splits.
        model: the base to start from.
        training: the recipe.
        output: folder for the checkpoint of the best epoch; made if absent, must be empty unless ``storage.latest`` is
            set.
        storage: folder of the run, and what its result depends on besides the data, the base and the recipe, such as
            the settings of the evaluator. None: a folder next to the output that is removed at the end.
        monitoring: receives metrics and previews, and evaluates the epochs.

    Returns:
        The checkpoint of the best epoch.

    Raises:
        ConfigurationError: settings contradict each other.
        DatasetError: a split is empty or too small, or an answer or prompt too long.
        ModelError: the base cannot be loaded, or the output folder is not empty.
        TrainingError: the training diverged, a disk or the memory is too small, or the run's folder is that of another
            run.
        KeyboardInterrupt: Ctrl-C; the run has been saved.
        SystemExit: SIGTERM; the run has been saved.
    """
    train, valid = splits.select("train"), splits.select("valid")
    storage = storage or RunStorage(output.with_name(f"{output.name}.run"))
    _check(train, valid, training, output if storage.latest is None else None, monitoring)
    if cpu := _why_on_the_cpu(training):
        logger.warning("%s", cpu)
    fingerprint = base_fingerprint(model)
    storage = replace(storage, identity={**run_identity(splits, fingerprint, training), **storage.identity})
    job = Job(
        train=train,
        valid=valid,
        model=model,
        fingerprint=fingerprint,
        training=training,
        storage=storage,
        monitoring=monitoring,
        processes=process_count(training),
    )
    folder = storage.folder
    with RunState(folder, storage.identity, storage.uploaded) as state:
        try:
            _train(job, state)
        except BaseException:
            if state.latest is None:
                state.remove()
            else:
                logger.warning("the run is kept in %s: started again, it continues from %s", folder, state.latest.name)
                if storage.latest is not None:
                    _write_best_so_far(job, state, output)
            raise
        try:
            checkpoint = _write_checkpoints(job, state, output)
        except Exception as exc:
            if not is_full(exc):
                raise
            raise TrainingError(
                f"{output}: the disk is full; the training has ended and is kept: free space, then start the run again"
            ) from exc
        if not storage.keep:
            state.remove()
    return checkpoint


def _train(job: Job, state: RunState) -> None:
    """Train to the end, from the last save on; a run that has ended only sends its history."""
    if state.finished is not None:
        logger.info("the run in %s has ended before: nothing is trained, its weights are used", state.folder)
        _send_history(state.finished["history"], job.monitoring.sink)
        return
    if state.latest is not None:
        logger.info("the run in %s continues from %s", state.folder, state.latest.name)
    launch(job)


def _why_on_the_cpu(training: TrainingConfig) -> str | None:
    """Return why a training that could use a GPU runs on the CPU; None where there is no such reason."""
    if reason := unseen_gpu():
        return f"training on the CPU: {reason}"
    if training.precision == "bfloat16" and best_device() == "cpu":
        return (
            "training.precision bfloat16: there is no GPU, and a CPU is slower in bfloat16 than in float32; "
            "set it to auto, which uses bfloat16 where it is faster"
        )
    return None


def run_identity(splits: DatasetManifest, fingerprint: str, training: TrainingConfig) -> dict[str, str]:
    """Return everything on which the result of a fine-tune depends, by name.

    Args:
        splits: the data.
        fingerprint: of the base.
        training: the recipe; settings with ``Effect.EXECUTION`` change its speed, not its result.
    """
    without_effect = training.with_effect(Effect.EXECUTION)
    recipe = {name: str(value) for name, value in training.leaves("training", exclude=without_effect).items()}
    versions = {name: version(name) for name in _LIBRARIES}
    return {"data": splits.fingerprint, "base": fingerprint, **versions, **recipe}


def _send_history(history: Sequence[Mapping[str, float]], sink: MetricSink | None) -> None:
    """Send a sink the values of a training that has ended, so that the tracker of this call has its curves too."""
    if sink is not None:
        for entry in history:
            sink({name: value for name, value in entry.items() if name != "step"}, int(entry["step"]))


def _check(
    train: DatasetManifest,
    valid: DatasetManifest,
    training: TrainingConfig,
    output: Path | None,
    monitoring: Monitoring,
) -> None:
    """Raise now for what would fail later."""
    for name, split in (("train", train), ("valid", valid)):
        if not len(split):
            raise DatasetError(f"the {name} split of {split.name} is empty")
    if len(train) < training.batch_size:
        raise DatasetError(
            f"training.batch_size {training.batch_size} is more than the {len(train)} samples of the train split; "
            "lower it"
        )
    if output is not None and output.exists() and any(output.iterdir()):
        raise ModelError(f"{output} is not empty: give a new or an empty folder for the checkpoint")
    if training.learning_rate == AUTO_RATE:
        raise ConfigurationError("training.learning_rate auto: pass the rate that choose_learning_rate returns")
    if training.best_by != "loss" and monitoring.evaluator is None:
        raise ConfigurationError(
            f"training.best_by {training.best_by!r} needs an evaluator; pass monitoring=Monitoring(evaluator=...)"
        )


def _write_checkpoints(job: Job, state: RunState, output: Path) -> Checkpoint:
    """Write the checkpoint of the best epoch, and before it that of the last epoch where it is requested."""
    ended, latest = state.finished or {}, job.storage.latest
    best_step, history = ended["best_step"], ended["history"]
    if latest is None:
        return _write_checkpoint(job, state.save_of(best_step), best_step, history, output)
    # In this order: where both exist, they are those of a training that has ended.
    for old in (output, latest):
        shutil.rmtree(old, ignore_errors=True)
    last_step = ended.get("last_step") or best_step
    last = _write_checkpoint(job, state.save_of(last_step), last_step, history, latest)
    if last_step != best_step:
        return _write_checkpoint(job, state.save_of(best_step), best_step, history, output)
    with atomic_path(output, sole_writer=True) as partial:
        shutil.copytree(latest, partial, copy_function=_link)
    return replace(last, folder=output)


def _write_best_so_far(job: Job, state: RunState, output: Path) -> None:
    """Write the best finished epoch of an interrupted run; a failure here must not hide the reason of the
    interruption."""
    try:
        best_step, history = progress_of(state)
        if best_step:
            shutil.rmtree(output, ignore_errors=True)
            _write_checkpoint(job, state.save_of(best_step), best_step, history, output)
            logger.warning("the best epoch so far is in %s", output)
    except (Florence2Error, OSError, ValueError) as exc:
        logger.warning("the best epoch so far could not be written to %s: %s", output, exc)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without links
        shutil.copyfile(source, target)


def _write_checkpoint(
    job: Job, save: Path, step: int, history: Sequence[Mapping[str, float]], output: Path
) -> Checkpoint:
    """Write the weights of a save at the end of an epoch as a checkpoint."""
    epoch = next(entry for entry in history if entry["step"] == step and "eval_loss" in entry)
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(output, sole_writer=True) as partial:
        if job.training.strategy == "lora":
            _write_adapter(job, save, partial / CheckpointFiles.ADAPTER)
        else:
            _write_model(job, save, partial / CheckpointFiles.MODEL)
        checkpoint = Checkpoint(
            folder=partial,
            strategy=job.training.strategy,
            base=job.model.base,
            base_revision=job.model.revision,
            base_fingerprint=job.fingerprint,
            epoch=epoch["epoch"],
            metrics={name: value for name, value in epoch.items() if name.startswith("eval_")},
            history=tuple(history),
            classes=trained_classes(job.train),
            own_tasks=tuple(dump_tasks(job.train.tasks.own)),
        )
        checkpoint.write_card()
    return replace(checkpoint, folder=output)


def _write_adapter(job: Job, save: Path, folder: Path) -> None:
    """Copy the adapter; it names its base as the user did, not by a path on this machine."""
    folder.mkdir(parents=True)
    settings = json.loads((save / "adapter_config.json").read_text(encoding="utf-8"))
    settings["base_model_name_or_path"] = job.model.base
    (folder / "adapter_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(save / "adapter_model.safetensors", folder / "adapter_model.safetensors")


def _write_model(job: Job, save: Path, folder: Path) -> None:
    """Write the whole model with its processor; the save has no frozen tower, which is that of the base."""
    from safetensors.torch import load_file

    florence2 = load_exact(job.model, job.fingerprint)
    add_tasks(florence2, job.train.tasks)
    loaded = florence2.model.load_state_dict(load_file(save / "model.safetensors"), strict=False)
    assert not loaded.unexpected_keys, loaded.unexpected_keys
    with quiet_transformers():
        florence2.model.save_pretrained(folder)
        florence2.processor.save_pretrained(folder)
