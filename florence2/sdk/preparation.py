"""What comes before a training or an evaluation: settings as they are given, and the rows of a clean data set."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from florence2.adapters.great_expectations import validate
from florence2.config import Configuration
from florence2.data.ingest import ingest
from florence2.data.manifest import DatasetManifest
from florence2.data.sources.remote import redact
from florence2.data.splits.assignment import split_dataset
from florence2.data.splits.frozen_test import load_frozen
from florence2.data.validation import raise_for_errors
from florence2.evaluation.metrics import metric_named
from florence2.model.answer_length import answer_length

__all__ = ["prepare", "settings_of"]

logger = logging.getLogger(__name__)


def settings_of(given: Configuration | Mapping[str, Any] | None) -> Configuration:
    """Return settings that were given as a configuration, as a mapping or not at all.

    Raises:
        ConfigurationError: a key is unknown or a value is invalid.
    """
    return given if isinstance(given, Configuration) else Configuration(**(given or {}))


def prepare(config: Configuration) -> DatasetManifest:
    """Read, check and split a data set.

    Raises:
        ConfigurationError: there is no such metric.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: there is no such base.
    """
    for metric in config.evaluation.metrics:  # a misspelt one is told before the work, not after it
        metric_named(metric)
    manifest = ingest(config.dataset)
    length = answer_length(config.model, config.training.max_target_tokens)
    clean, report = validate(manifest, config.validation, count_tokens=length.count, max_target_tokens=length.limit)
    raise_for_errors(clean, report)
    logger.info("%s: %d of %d rows are used", redact(config.dataset.source), len(clean), len(manifest))
    return split_dataset(clean, config.split, load_frozen(config.split))
