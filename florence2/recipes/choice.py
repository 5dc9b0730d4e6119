"""``choose_recipe``: the settings of a training, where the user leaves them open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from florence2.config import BaseConfig, EvaluationConfig, ModelConfig, TrainingConfig, merged
from florence2.datasets import DatasetManifest
from florence2.evaluation import SMALL_OBJECT, metrics_for, object_sides
from florence2.model import Family, answer_length, family_of
from florence2.recipes.kinds import kind_of
from florence2.recipes.recipe import AUTO, NONE, FamilyRecipe, Recipe, read_recipe

__all__ = ["RecipeChoice", "answer_limit", "choose_recipe", "first_score", "samples_of_epoch"]

_MEASURABLE = 20
"""Samples of the validation split from which a score of the answers chooses the epoch better than the loss."""

_OF_STRATEGY = ("learning_rate", "lora")
"""Settings that suit the strategy of the recipe only."""

_TOKENS_OF_A_SAMPLE = 100
"""Tokens of an answer that take as long in a training step as the image and the prompt.

Measured with ``builtin:small`` on one core: 89 ms and 105 ms for each such unit, where answers have 20 and 95 tokens.
"""

_TOKENS = 32


class RecipeChoice(BaseConfig):
    """The settings of a training, all of them chosen.

    Attributes:
        training: as the user set it, the rest by the recipe, else the defaults.
        evaluation: the same, with a limit of tokens that fits the answers of the data set.
        reason: what the recipe was chosen by, in one sentence; empty where nothing was chosen.
    """

    training: TrainingConfig
    evaluation: EvaluationConfig
    reason: str


def choose_recipe(
    data: DatasetManifest,
    model: ModelConfig,
    training: TrainingConfig,
    evaluation: EvaluationConfig,
    own: Recipe | None = None,
) -> RecipeChoice:
    """Complete the settings of a training by a recipe.

    Only settings that were not set are chosen; pydantic's ``model_fields_set`` tells which were. The same inputs give
    the same choice. Where every setting of the training is set, as in the stored configuration of a run, no recipe is
    read, so that a run is repeated without the user's file.

    Args:
        data: the splits train and valid.
        model: the base.
        training: the settings; ``recipe`` names the recipe.
        evaluation: the settings.
        own: the recipe, where its file is on another machine.

    Raises:
        ConfigurationError: there is no such recipe, or it has nothing for this base.
        DatasetError: an image cannot be read.
        ModelError: the base cannot be found.
    """
    if training.recipe == NONE or _is_complete(training):
        return RecipeChoice(training=training, evaluation=evaluation, reason="")
    train, valid = data.select("train"), data.select("valid")
    recipe = own or read_recipe(kind_of(train) if training.recipe == AUTO else training.recipe)
    family = family_of(model)
    settings = recipe.for_family(family.name)
    lengths = _answer_lengths(data, model, training)
    chosen = _completed(training, settings, lengths[(data.table["split"] == "train").to_numpy()])
    if chosen.best_by == "score":
        chosen = chosen.model_copy(update={"best_by": first_score(valid, evaluation)})
    chosen = chosen.model_copy(update={"recipe": recipe.name})
    reason = f"recipe {recipe.name} ({recipe.title}): {_facts(train, family)}; {_summary(chosen)}"
    return RecipeChoice(training=chosen, evaluation=_with_limit(evaluation, lengths), reason=reason)


def _is_complete(section: BaseConfig) -> bool:
    """Return whether every setting of a section was set."""
    return section.model_fields_set == type(section).model_fields.keys() and all(
        _is_complete(value) for _, value in section if isinstance(value, BaseConfig)
    )


def answer_limit(longest: int) -> int:
    """Return the most tokens of a generated answer where the longest annotated one has so many."""
    return min(EvaluationConfig().max_new_tokens, -(-longest * 3 // 2 // _TOKENS) * _TOKENS)


def _completed(training: TrainingConfig, recipe: FamilyRecipe, lengths: NDArray[np.int64]) -> TrainingConfig:
    """Return the settings of a recipe, overridden by those that the user set.

    Args:
        training: what the user set.
        recipe: for the base.
        lengths: tokens of each answer of the training split.
    """
    given = training.model_dump(exclude_unset=True)
    theirs = dict(recipe.training)
    if given.get("strategy", theirs.get("strategy")) != theirs.get("strategy"):
        theirs = {key: value for key, value in theirs.items() if key not in _OF_STRATEGY}
    # The time of a training step is nearly linear in the length of the answers.
    epochs = min(recipe.most_epochs, max(1, round(recipe.samples / _in_an_epoch(lengths))))
    # A batch holds no more samples than there are.
    batch_size = min(theirs.get("batch_size", TrainingConfig().batch_size), len(lengths))
    return TrainingConfig.model_validate(merged({"epochs": epochs, **theirs, "batch_size": batch_size}, given))


def _in_an_epoch(lengths: NDArray[np.int64]) -> float:
    return float((1 + lengths / _TOKENS_OF_A_SAMPLE).sum())


def samples_of_epoch(train: DatasetManifest, model: ModelConfig, training: TrainingConfig) -> float:
    """Return the samples of an epoch as ``samples`` of a recipe counts them: one is 1 + tokens of its answer / 100."""
    return _in_an_epoch(_answer_lengths(train, model, training))


def first_score(valid: DatasetManifest, evaluation: EvaluationConfig) -> str:
    """Return the name of the first score of the task where the validation split can tell it, else ``loss``."""
    tasks = valid.table["task"].unique()
    metrics = metrics_for(valid.tasks[str(tasks[0])], evaluation.metrics) if len(tasks) == 1 else ()
    return metrics[0].declared_scores()[0].name if metrics and len(valid) >= _MEASURABLE else "loss"


def _answer_lengths(data: DatasetManifest, model: ModelConfig, training: TrainingConfig) -> NDArray[np.int64]:
    """Return the tokens of each answer."""
    length = answer_length(model, training.max_target_tokens)
    return np.asarray(length.count(data.table["suffix"].tolist()), dtype=np.int64)


def _with_limit(evaluation: EvaluationConfig, lengths: NDArray[np.int64]) -> EvaluationConfig:
    """Limit answers to one and a half times the longest of the data set, where no limit is set."""
    if "max_new_tokens" in evaluation.model_fields_set:
        return evaluation
    return evaluation.model_copy(update={"max_new_tokens": answer_limit(int(lengths.max()))})


def _facts(train: DatasetManifest, family: Family) -> str:
    """Return what was found, in words: samples, images, the size of objects for the model."""
    table = train.table
    facts = [f"{len(table):,} samples of {table['image'].nunique():,} images"]
    sides = object_sides(train, (family.side, family.side))
    if len(sides):
        median = float(np.median(sides))
        facts.append(f"objects of {median:.0f} pixels in the model's {family.side}")
        if median < SMALL_OBJECT:
            facts.append(f"half of them smaller than {SMALL_OBJECT} pixels, so many will not be found")
    return ", ".join(facts)


def _summary(training: TrainingConfig) -> str:
    epochs = f"{training.epochs} epoch{'s' * (training.epochs > 1)}"
    return f"{epochs} of batches of {training.batch_size}, strategy {training.strategy}"
