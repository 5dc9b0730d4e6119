"""The same road without ZenML: ``train`` and ``evaluate`` for scripts, notebooks and the command line."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.adapters.great_expectations import validate
from florence2.config import Configuration
from florence2.data.ingest import ingest
from florence2.data.manifest import SPLITS, DatasetManifest
from florence2.data.sources.remote import redact
from florence2.data.splits.assignment import split_dataset
from florence2.data.splits.frozen_test import load_frozen
from florence2.data.validation import raise_for_errors
from florence2.errors import ConfigurationError, ModelError
from florence2.evaluation.evaluate import compare, evaluate_split
from florence2.evaluation.metrics import metric_named
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.model.answer_length import answer_length
from florence2.model.checkpoint import Checkpoint
from florence2.training.callbacks import MetricSink
from florence2.training.fit import fit

__all__ = ["TrainingResult", "evaluate", "train"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Attributes:
        folder: of this run: ``checkpoint/`` and ``report/``.
        checkpoint: the best checkpoint by validation.
        report: base and fine-tuned model on the test split.
    """

    folder: Path
    checkpoint: Checkpoint
    report: EvaluationReport


def train(
    configuration: Configuration | Mapping[str, Any], output: Path | str = "runs", sink: MetricSink | None = None
) -> TrainingResult:
    """Read, validate and split a data set, fine-tune on it, and evaluate before and after on its test split.

    Args:
        configuration: the settings, or a mapping of them: ``{"dataset": "D", "epochs": 10}``.
        output: folder in which a numbered folder is made for this run.
        sink: receives losses while the training runs, with the optimizer step.

    Raises:
        ConfigurationError: a setting is unknown or invalid.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: the base cannot be loaded.
    """
    config = configuration if isinstance(configuration, Configuration) else Configuration(**configuration)
    splits = _prepare(config)
    test = splits.select("test")
    folder = _numbered(Path(output))
    checkpoint = fit(splits, config.model, config.training, folder / "checkpoint", sink)
    before = evaluate_split(checkpoint.load_base(), checkpoint.base, test, config.evaluation)
    after = evaluate_split(checkpoint.load(), "fine-tuned", test, config.evaluation)
    facts = {"base": config.model.base, "strategy": checkpoint.strategy, "data": splits.fingerprint[:12]}
    report = compare(before, after, facts, config.evaluation)
    report.save(folder / "report")
    return TrainingResult(folder, checkpoint, report)


def evaluate(
    checkpoint: Path | str, configuration: Configuration | Mapping[str, Any], split: str = "test"
) -> ModelEvaluation:
    """Evaluate a checkpoint on one split of a data set.

    Args:
        checkpoint: folder of a checkpoint, or of a run that holds one.
        configuration: names the data set and how answers are judged.
        split: ``train``, ``valid`` or ``test``.

    Raises:
        ConfigurationError: there is no such split.
        ModelError: there is no checkpoint.
        DatasetError: the data set cannot be read or breaks the rules.
    """
    config = configuration if isinstance(configuration, Configuration) else Configuration(**configuration)
    folder = Path(checkpoint)
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; give the checkpoint folder that `florence2 train` wrote")
    if split not in SPLITS:
        raise ConfigurationError(f"there is no split {split!r}; give one of {', '.join(SPLITS)}")
    found = Checkpoint.read(folder / "checkpoint" if (folder / "checkpoint").is_dir() else folder)
    rows = _prepare(config).select(split)
    return evaluate_split(found.load(), str(folder), rows, config.evaluation).evaluation


def _prepare(config: Configuration) -> DatasetManifest:
    for metric in config.evaluation.metrics:  # a misspelt one is told before the work, not after it
        metric_named(metric)
    manifest = ingest(config.dataset)
    length = answer_length(config.model, config.training.max_target_tokens)
    clean, report = validate(manifest, config.validation, count_tokens=length.count, max_target_tokens=length.limit)
    raise_for_errors(clean, report)
    logger.info("%s: %d of %d rows are used", redact(config.dataset.source), len(clean), len(manifest))
    return split_dataset(clean, config.split, load_frozen(config.split))


def _numbered(parent: Path) -> Path:
    """Make the next free folder ``1``, ``2``, ... atomically, so that concurrent runs never share one."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(f"{parent}: cannot be a folder for runs: {exc.strerror}; give another output") from exc
    number = 1 + max((int(child.name) for child in parent.iterdir() if child.name.isdecimal()), default=0)
    while True:
        try:
            (parent / str(number)).mkdir()
        except FileExistsError:
            number += 1
        else:
            return parent / str(number)
