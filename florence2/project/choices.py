"""Chooses the settings of a project, each with its reason, from what was found in the data set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from florence2.config import Configuration, DatasetConfig, EvaluationConfig, TasksConfig, TrainingConfig
from florence2.errors import ModelError
from florence2.evaluation import metrics_for, score_named
from florence2.project.survey import FEW_IMAGES, Survey
from florence2.recipes import AUTO, answer_limit, choose_recipe

__all__ = ["FEW_SAMPLES", "Choice", "choices", "deciding_score", "promotion_choices"]

_DEFAULTS = Configuration()
FEW_SAMPLES = 100
"""Samples of the training split below which no useful model is to be expected."""


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


def choices(
    found: Survey, dataset: DatasetConfig, tasks: TasksConfig, model_name: str, frozen: str | None
) -> list[Choice]:
    """Choose the settings of a fine-tune.

    Args:
        found: what is in the data set.
        dataset: its source and format.
        tasks: the user's own tasks.
        model_name: under which the result is registered.
        frozen: file that lists the images of the test split, None where the data set has a test split.
    """
    return [
        *_about_data(found, dataset, tasks, frozen),
        *_about_training(found),
        *_about_answers(found),
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
    counts = found.manifest.table["task"].value_counts()
    return metrics_for(found.manifest.tasks[str(counts.index[0])])[0].declared_scores()[0].name


def _about_data(found: Survey, dataset: DatasetConfig, tasks: TasksConfig, frozen: str | None) -> Iterator[Choice]:
    yield Choice("dataset.source", dataset.source, "Folder, archive or URI of the data set.")
    yield Choice("dataset.format", found.layout, "Recognised by its files.")
    if tasks.task:
        own = tasks.model_dump(mode="json", exclude_unset=True)["task"]
        yield Choice("tasks.task", own, "Your own tasks, and how their answers are written.")
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


def _about_training(found: Survey) -> Iterator[Choice]:
    base = found.base
    yield Choice("model.base", base.given, base.reason or "The model to start from.")
    try:
        chosen = choose_recipe(found.manifest, base.model, TrainingConfig(), EvaluationConfig())
        now = f"On this data now: {chosen.reason}."
    except ModelError:
        now = "It is chosen when the base can be reached."
    yield Choice(
        "training.recipe",
        AUTO,
        f"Settings that are not written here follow from the data and the base. {now} "
        "florence2 train --dry-run prints them all, and those that you add here stay as you give them.",
    )


def _about_answers(found: Survey) -> Iterator[Choice]:
    counted = (
        "" if found.exact else ", counted by the built-in tokenizer, since that of the base is not on this machine"
    )
    why = f"The longest answer of the data set has {found.longest} tokens{counted}; a longer one is cut."
    yield Choice("evaluation.max_new_tokens", answer_limit(found.longest), why)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _times(number: int) -> str:
    return "Once" if number == 1 else f"{number:,} times"
