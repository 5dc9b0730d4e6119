"""What comes before a training or an evaluation: settings as they are given, and the rows of a clean data set."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from florence2.adapters import validate
from florence2.config import Configuration
from florence2.datasets import DatasetManifest, ingest, load_frozen, raise_for_errors, split_dataset
from florence2.errors import ConfigurationError
from florence2.evaluation import metric_named
from florence2.model import AnswerLength, answer_length
from florence2.storage import redact

__all__ = ["check_metrics", "check_output", "clean_splits", "prepare", "settings_of"]

logger = logging.getLogger(__name__)


def settings_of(given: Configuration | Mapping[str, Any] | None) -> Configuration:
    """Return settings that were given as a configuration, as a mapping or not at all.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid.
    """
    return given if isinstance(given, Configuration) else Configuration(**(given or {}))


def check_output(folder: Path | str | None) -> None:
    """Raise for a folder that cannot be written to or made; None is none.

    Raises:
        ConfigurationError: it cannot be the output.
    """
    if folder is None:
        return
    try:
        there = next(place for place in (Path(folder), *Path(folder).parents) if place.exists())
        if there.is_dir() and os.access(there, os.W_OK):
            return
        reason = f"{there} may not be written" if there.is_dir() else f"{there} is a file"
    except OSError as exc:
        reason = str(exc.strerror)
    raise ConfigurationError(f"{folder}: cannot be written to: {reason}; give another output")


def prepare(config: Configuration) -> DatasetManifest:
    """Read, check and split a data set for a training.

    What is typed wrong is told first: metrics and the base before the data set is read.

    Raises:
        ConfigurationError: there is no such metric.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: there is no such base.
    """
    check_metrics(config)
    length = answer_length(config.model, config.training.max_target_tokens)
    return clean_splits(ingest(config.dataset), config, length)


def check_metrics(config: Configuration) -> None:
    """Raise for metrics that there are not.

    Raises:
        ConfigurationError: there is no such metric.
    """
    for metric in config.evaluation.metrics:
        metric_named(metric)


def clean_splits(manifest: DatasetManifest, config: Configuration, length: AnswerLength) -> DatasetManifest:
    """Check a data set that was read, and split what is clean of it.

    Args:
        manifest: of all its rows.
        config: the rules and the splits.
        length: of answers, for the model that is trained or asked.

    Raises:
        DatasetError: it breaks the rules.
    """
    clean, report = validate(manifest, config.validation, count_tokens=length.count, max_target_tokens=length.limit)
    raise_for_errors(clean, report)
    logger.info("%s: %d of %d rows are used", redact(config.dataset.source), len(clean), len(manifest))
    return split_dataset(clean, config.split, load_frozen(config.split))
