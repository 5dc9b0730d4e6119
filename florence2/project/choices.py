"""Chooses the settings of a project, each with its reason, from what was found in the data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from florence2.codec import TASKS
from florence2.config import Configuration, DatasetConfig, TrainingConfig
from florence2.evaluation import MeanAveragePrecisionMetric, metrics_for, score_named
from florence2.model import HUB_BASE
from florence2.project.survey import FEW_IMAGES, Survey

__all__ = ["FEW_SAMPLES", "Choice", "choices", "deciding_score", "promotion_choices"]

_DEFAULTS = Configuration()
_SAMPLES = 8000
"""Samples that a training sees in all epochs together: about as many as in the measured recipes."""
_EPOCHS = (3, 5, 10, 20, 30, 50)
_FULL_STEPS = 10
_LEAST_BATCH = 4
_PATIENT_FROM = 20
FEW_SAMPLES = 100
"""Samples of the training split below which no useful model is to be expected."""
_MEASURABLE = 50
"""Samples of the validation split from which a score is more reliable than the loss."""
_TRIAL_EVAL_BATCH = 64
_TOKENS = 32


@dataclass(frozen=True)
class Choice:
    """One setting of the configuration.

    Attributes:
        path: ``training.epochs``.
        value: a value that YAML can hold.
        why: what was found, and when to change the value.
    """

    path: str
    value: Any
    why: str


def choices(found: Survey, dataset: DatasetConfig, base: str, model_name: str, frozen: str | None) -> list[Choice]:
    """Choose the settings of a fine-tune.

    Args:
        found: what is in the data set.
        dataset: its source and format.
        base: the model to start from.
        model_name: under which the result is registered.
        frozen: file that lists the images of the test split, None where the data set has a test split.
    """
    return [
        *_about_data(found, dataset, frozen),
        Choice("model.base", base, _why_base(base)),
        *_about_training(found),
        *_about_answers(found, base),
        Choice("registration.model_name", model_name, "Name in the model registry."),
    ]


def promotion_choices(found: Survey, finetune: list[Choice]) -> list[Choice]:
    """Choose the settings of a promotion: the same data and answers, and the score that decides.

    Args:
        found: what is in the data set.
        finetune: the settings of the fine-tune.
    """
    same = [choice for choice in finetune if not choice.path.startswith("training.")]
    score = deciding_score(found)
    better = "more" if score_named(score).higher_is_better else "less"
    why = f"{score_named(score).title} on the test split decides; {better} is better."
    return [*same, Choice("promotion.primary", score, why)]


def deciding_score(found: Survey) -> str:
    """Return the score by which the most frequent task is evaluated."""
    return _score(next(iter(_tasks(found))))


def _tasks(found: Survey) -> dict[str, int]:
    counts = found.manifest.table["task"].value_counts()
    return {str(task): int(count) for task, count in counts.items()}


def _score(task: str) -> str:
    metric = metrics_for(TASKS[task])[0]
    return "map50" if metric is MeanAveragePrecisionMetric else metric.name


def _about_data(found: Survey, dataset: DatasetConfig, frozen: str | None) -> Iterator[Choice]:
    yield Choice("dataset.source", dataset.source, "Folder, archive or URI of the data set.")
    yield Choice("dataset.format", found.layout, "Recognised by its files.")
    for defect in found.defects:
        what = "is repaired" if defect.outcome == "repair" else "is left out and listed"
        why = f"{_times(defect.count)}: {defect.sentence} What breaks the rule {what}; fail would stop the run."
        yield Choice(f"validation.rules.{defect.code}", defect.outcome, why)
    for split in found.missing:
        samples, images = found.count(split)
        few = f"; with fewer than {FEW_IMAGES} images a tenth would be too few" if images < FEW_IMAGES else ""
        share = getattr(found.split, f"{split}_fraction")
        small = few if share != getattr(_DEFAULTS.split, f"{split}_fraction") else ""
        why = f"There is no {split} split: {_count(images, 'image')} ({_count(samples, 'sample')}) are taken{small}."
        yield Choice(f"split.{split}_fraction", share, why)
    if frozen is not None:
        yield Choice(
            "split.frozen_test", frozen, "The images of the test split; they stay the same when images are added."
        )


def _why_base(base: str) -> str:
    if base == _DEFAULTS.model.base:
        return (
            "Comes with the package: for a trial without a network or a GPU, at 64 x 64 pixels. "
            f"For real work: {HUB_BASE}, with a GPU of 16 GB; then change the settings of answers below, too."
        )
    return f"{_DEFAULTS.model.base} is for a trial without a network or a GPU."


def _about_training(found: Survey) -> Iterator[Choice]:
    samples, _ = found.count("train")
    default = _DEFAULTS.training
    yield Choice(
        "training.strategy",
        default.strategy,
        "lora: adapters, least memory and best in the recipes; full: every weight; freeze: all but the vision tower.",
    )
    epochs = next((epochs for epochs in _EPOCHS if epochs * samples >= _SAMPLES), _EPOCHS[-1])
    few = f" A useful model needs {FEW_SAMPLES} or more; fewer are for a trial." if samples < FEW_SAMPLES else ""
    often = " Few samples need many epochs; patience may end the training earlier." if epochs >= _PATIENT_FROM else ""
    why = f"{_count(samples, 'sample')} to train on, {epochs} times each: {samples * epochs:,}.{often}{few}"
    yield Choice("training.epochs", epochs, why)
    batch = default.batch_size if samples >= default.batch_size * _FULL_STEPS else _LEAST_BATCH
    steps = -(-samples // batch)
    yield Choice("training.batch_size", batch, f"{_count(steps, 'step')} in an epoch, over all GPUs together.")
    yield _best_by(found, default)
    if epochs >= _PATIENT_FROM:
        yield Choice("training.patience", epochs // 5, "Stops after so many epochs without a better one.")


def _best_by(found: Survey, default: TrainingConfig) -> Choice:
    samples, _ = found.count("valid")
    scores = list(dict.fromkeys(map(_score, _tasks(found))))
    if len(scores) > 1:
        why = f"There are several tasks, so the loss decides which epoch is kept; or give one of {', '.join(scores)}."
        return Choice("training.best_by", default.best_by, why)
    if samples < _MEASURABLE:
        few = f"{_count(samples, 'sample')} to validate on are too few for {scores[0]}"
        why = f"{few}: the loss decides which epoch is kept."
        return Choice("training.best_by", default.best_by, why)
    why = "The score on the validation split by which the best epoch is kept; loss would save the time of the answers."
    return Choice("training.best_by", scores[0], why)


def _about_answers(found: Survey, base: str) -> Iterator[Choice]:
    if base == _DEFAULTS.model.base:
        yield Choice(
            "evaluation.eval_batch_size",
            _TRIAL_EVAL_BATCH,
            f"Images per batch, for the small base; {_DEFAULTS.evaluation.eval_batch_size} for {HUB_BASE}.",
        )
    longest = -(-found.longest * 3 // 2 // _TOKENS) * _TOKENS
    limit = min(_DEFAULTS.evaluation.max_new_tokens, max(_TOKENS, longest))
    counted = (
        "" if found.exact else ", counted by the built-in tokenizer, since that of the base is not on this machine"
    )
    why = f"The longest answer of the data set has {found.longest} tokens{counted}; a longer one is cut."
    yield Choice("evaluation.max_new_tokens", limit, why)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _times(number: int) -> str:
    return "Once" if number == 1 else f"{number:,} times"
