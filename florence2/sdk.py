"""The same road without ZenML: ``train``, ``evaluate`` and ``predict`` for scripts, notebooks and the command line."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from florence2.adapters.great_expectations import validate
from florence2.codec.tasks import split_prefix
from florence2.config import Configuration, ModelConfig
from florence2.data.ingest import ingest
from florence2.data.manifest import SPLITS, DatasetManifest
from florence2.data.sources.remote import redact
from florence2.data.splits.assignment import split_dataset
from florence2.data.splits.frozen_test import load_frozen
from florence2.data.validation import raise_for_errors
from florence2.errors import ConfigurationError
from florence2.evaluation.compare import compare
from florence2.evaluation.evaluate import evaluate_split
from florence2.evaluation.judge import ValidationJudge
from florence2.evaluation.judged import describe, judged_rows, resamples_of
from florence2.evaluation.metrics import metric_named
from florence2.evaluation.report import EvaluationReport, ModelEvaluation, public_name
from florence2.evaluation.written import save_evaluation
from florence2.inference.image_files import ImagePredictions, find_images, predict_images
from florence2.model.answer_length import answer_length
from florence2.model.checkpoint import Checkpoint
from florence2.model.named import checkpoint_named, load_named
from florence2.run_folder import CHECKPOINT, numbered, resumed, save_settings, unfinished_run
from florence2.training.callbacks import MetricSink
from florence2.training.fit import fit

__all__ = ["TrainingResult", "evaluate", "predict", "train"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingResult:
    """What a training left.

    Attributes:
        folder: of this run: ``settings.json``, ``validation/``, ``checkpoint/`` and ``report/``; while it trains also
            ``state/``.
        checkpoint: the best checkpoint by validation.
        report: base and fine-tuned model on the test split.
    """

    folder: Path
    checkpoint: Checkpoint
    report: EvaluationReport


def train(
    configuration: Configuration | Mapping[str, Any] | None = None,
    output: Path | str = "runs",
    sink: MetricSink | None = None,
    *,
    resume: Path | str | bool = False,
) -> TrainingResult:
    """Read, validate and split a data set, fine-tune on it, and evaluate before and after on its test split.

    Args:
        configuration: the settings, or a mapping of them: ``{"dataset": "D", "epochs": 10}``.
        output: folder in which a numbered folder is made for this run.
        sink: receives losses while the training runs, with the optimizer step.
        resume: the folder of a run that was killed, or True for the last one in ``output``: it goes on with its own
            settings, and ends as if it had not been killed. Settings given besides must be the same, but for those
            of ``training.engine`` and those that only concern the evaluation.

    Raises:
        ConfigurationError: a setting is unknown or invalid, or there is no run to go on with.
        DatasetError: the data set cannot be read or breaks the rules.
        ModelError: the base cannot be loaded.
        TrainingError: the training failed, or the run to go on with is one of something else.
    """
    given = configuration if isinstance(configuration, Configuration) else Configuration(**(configuration or {}))
    if resume is False:
        config, folder = given, numbered(Path(output))
        save_settings(config, folder)
    else:
        folder = unfinished_run(Path(output)) if resume is True else Path(resume)
        config = resumed(folder, given)
    splits = _prepare(config)
    judge = ValidationJudge.of(splits.select("valid"), config.training, config.evaluation)
    checkpoint = _checkpoint_of(folder, splits, config, sink, judge)
    before = evaluate_split(checkpoint.load_base(), checkpoint.base, splits.select("test"), config.evaluation)
    after = evaluate_split(checkpoint.load(), "fine-tuned", splits.select("test"), config.evaluation)
    facts = {"base": public_name(config.model.base), "strategy": checkpoint.strategy, "data": splits.fingerprint[:12]}
    report = compare(before, after, facts, config.evaluation)
    report.save(folder / "report")
    return TrainingResult(folder, checkpoint, report)


def _checkpoint_of(
    folder: Path, splits: DatasetManifest, config: Configuration, sink: MetricSink | None, judge: ValidationJudge
) -> Checkpoint:
    """Return the checkpoint of a run: trained now, or already there where only the evaluation was cut off."""
    if (folder / CHECKPOINT / "checkpoint.json").is_file():
        return Checkpoint.read(folder / CHECKPOINT)
    state = folder / "state"
    try:
        return fit(
            splits,
            config.model,
            config.training,
            folder / CHECKPOINT,
            run=state,
            sink=sink,
            judge=judge,
            show=_PictureFolder(folder),
            also=judge.identity,
        )
    finally:
        if state.is_dir():
            logger.warning("go on with it by: florence2 train --resume %s", folder)


@dataclass(frozen=True)
class _PictureFolder:
    """Keeps the pictures of each validation in the folder of a run."""

    run: Path

    def __call__(self, picture: Image.Image, step: int) -> None:
        folder = self.run / "validation"
        folder.mkdir(exist_ok=True)
        picture.save(folder / f"step-{step:06d}.png")


def evaluate(
    model: Path | str,
    configuration: Configuration | Mapping[str, Any],
    split: str = "test",
    output: Path | str | None = None,
) -> ModelEvaluation:
    """Evaluate a model on one split of a data set.

    Args:
        model: ``builtin:nano``, the folder of a model, of a checkpoint or of a run that holds one, or a hub id.
        configuration: names the data set and how answers are judged; its base is not looked at.
        split: ``train``, ``valid`` or ``test``.
        output: folder for ``metrics.json``, ``predictions.jsonl`` and ``report.html``; made if it is missing.

    Raises:
        ConfigurationError: there is no such split, or the output cannot be written.
        ModelError: there is no such model.
        DatasetError: the data set cannot be read or breaks the rules, or the split is empty.
    """
    given = configuration if isinstance(configuration, Configuration) else Configuration(**configuration)
    if split not in SPLITS:
        raise ConfigurationError(f"there is no split {split!r}; give one of {', '.join(SPLITS)}")
    checkpoint = checkpoint_named(str(model))
    # What counts the tokens of the answers is the model that is evaluated, or the base whose tokenizer it has.
    named = (
        ModelConfig(base=checkpoint.base, revision=checkpoint.base_revision)
        if checkpoint
        else ModelConfig(base=str(model), revision=given.model.revision)
    )
    config = given.model_copy(update={"model": named})
    loaded = load_named(str(model), named.revision)
    rows = _prepare(config).select(split)
    answers = evaluate_split(loaded, str(model), rows, config.evaluation)
    judged = judged_rows(answers)
    evaluation = describe(answers, judged, resamples_of(answers, config.evaluation))
    if output is not None:
        facts = {"model": evaluation.model, "split": split, "data": rows.fingerprint[:12]}
        save_evaluation(answers, judged, evaluation, facts, config.evaluation, Path(output))
    return evaluation


def predict(
    model: str | Path,
    images: str | Path | Sequence[str | Path],
    prefix: str = "<OD>",
    configuration: Configuration | Mapping[str, Any] | None = None,
    output: Path | str | None = None,
) -> ImagePredictions:
    """Answer a prompt about images.

    Args:
        model: ``builtin:nano``, the folder of a model, a checkpoint or a run, or a hub id.
        images: files, folders or patterns, one or several.
        prefix: the prompt, such as ``<OD>`` or ``<VQA>How many cards are there?``.
        configuration: how answers are generated, and the revision of a hub id.
        output: folder for the answers and the drawn pictures.

    Returns:
        An answer for each image; one that cannot be decoded says why.

    Raises:
        AnswerError: the prefix is not a task token with what belongs to it.
        ConfigurationError: a setting is wrong, or no image was named.
        DatasetError: none of the images can be decoded.
        ModelError: there is no such model.
    """
    config = configuration if isinstance(configuration, Configuration) else Configuration(**(configuration or {}))
    split_prefix(prefix)
    found = find_images([str(place) for place in ([images] if isinstance(images, str | Path) else images)])
    florence2 = load_named(str(model), config.model.revision)
    predictions = predict_images(florence2, found, prefix, config.evaluation)
    if output is not None:
        predictions.save(Path(output))
    return predictions


def _prepare(config: Configuration) -> DatasetManifest:
    for metric in config.evaluation.metrics:  # a misspelt one is told before the work, not after it
        metric_named(metric)
    manifest = ingest(config.dataset)
    length = answer_length(config.model, config.training.max_target_tokens)
    clean, report = validate(manifest, config.validation, count_tokens=length.count, max_target_tokens=length.limit)
    raise_for_errors(clean, report)
    logger.info("%s: %d of %d rows are used", redact(config.dataset.source), len(clean), len(manifest))
    return split_dataset(clean, config.split, load_frozen(config.split))
