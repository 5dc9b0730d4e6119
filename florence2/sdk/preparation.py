"""Prepares a training or an evaluation: checks its arguments, and reads, validates and splits its data set."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.adapters import validate
from florence2.codec import TaskTable, joined, task_table
from florence2.config import Configuration
from florence2.datasets import DatasetManifest, ingest, load_frozen, raise_for_errors, split_dataset
from florence2.errors import ConfigurationError
from florence2.evaluation import metric_named
from florence2.model import AnswerLength, answer_length, base_tasks
from florence2.recipes import choose_base, choose_recipe
from florence2.storage import redact

__all__ = ["Prepared", "check_metrics", "check_output", "clean_splits", "prepare", "settings_of", "tasks_of"]

logger = logging.getLogger(__name__)


def settings_of(given: Configuration | Mapping[str, Any] | None) -> Configuration:
    """Return the configuration of settings that are a configuration, a mapping, or None for the defaults.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid.
    """
    return given if isinstance(given, Configuration) else Configuration(**(given or {}))


def check_output(folder: Path | str | None) -> None:
    """Raise for a folder that cannot be written or created; None is accepted.

    Raises:
        ConfigurationError: it cannot be written or created.
    """
    if folder is None:
        return
    try:
        existing = next(path for path in (Path(folder), *Path(folder).parents) if path.exists())
        if existing.is_dir() and os.access(existing, os.W_OK):
            return
        reason = f"{existing} is not writable" if existing.is_dir() else f"{existing} is a file"
    except OSError as exc:
        reason = str(exc.strerror)
    raise ConfigurationError(f"{folder}: cannot be written to: {reason}; give another output")


@dataclass(frozen=True)
class Prepared:
    """What a training starts from.

    Attributes:
        config: all settings; base and recipe are chosen.
        splits: the valid samples in their splits.
        reasons: a sentence for each choice.
    """

    config: Configuration
    splits: DatasetManifest
    reasons: tuple[str, ...]


def prepare(config: Configuration) -> Prepared:
    """Read, check and split a data set for a training, and choose the settings that are left open.

    Metrics and the base are checked before the data set is read, so that a mistake in them is reported early.

    Raises:
        ConfigurationError: there is no such metric or recipe.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: there is no such base.
    """
    check_metrics(config)
    base = choose_base(config.model, config.dataset.source)
    tasks = tasks_of(config, base_tasks(base.model))
    length = answer_length(base.model, config.training.max_target_tokens)
    splits = clean_splits(ingest(config.dataset, tasks), config, length)
    recipe = choose_recipe(splits, base.model, config.training, config.evaluation)
    chosen = {"model": base.model, "training": recipe.training, "evaluation": recipe.evaluation}
    reasons = tuple(reason for reason in (base.reason, recipe.reason) if reason)
    for reason in reasons:
        logger.info("%s", reason)
    return Prepared(config.model_copy(update=chosen), splits, reasons)


def check_metrics(config: Configuration) -> None:
    """Raise for unknown metrics.

    Raises:
        ConfigurationError: there is no such metric.
    """
    for metric in config.evaluation.metrics:
        metric_named(metric)


def tasks_of(config: Configuration, model: TaskTable) -> TaskTable:
    """Return the tasks that a data set may have: those of a model and of the configuration, which come first.

    Raises:
        ConfigurationError: a task of the configuration could be taken for another.
    """
    return joined(model, task_table(config.tasks.task).own)


def clean_splits(manifest: DatasetManifest, config: Configuration, length: AnswerLength) -> DatasetManifest:
    """Validate a data set and split its valid samples.

    Args:
        manifest: all samples of the data set.
        config: the rules and the splits.
        length: of answers, for the model that is trained or evaluated.

    Raises:
        DatasetError: it breaks the rules.
    """
    clean, report = validate(manifest, config.validation, count_tokens=length.count, max_target_tokens=length.limit)
    raise_for_errors(clean, report)
    logger.info("%s: %d of %d samples are used", redact(config.dataset.source), len(clean), len(manifest))
    return split_dataset(clean, config.split, load_frozen(config.split))
