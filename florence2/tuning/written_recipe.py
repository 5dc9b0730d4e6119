"""``written_recipe``: the settings that won a search as a recipe, which a training takes by ``--recipe FILE``."""

from __future__ import annotations

from typing import Any

import yaml

from florence2.config import NOT_BY_RECIPE, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.model import family_of
from florence2.recipes import FamilyRecipe, Recipe, first_score, samples_of_epoch
from florence2.tuning.outcome import Outcome
from florence2.tuning.running import TrialData

__all__ = ["as_recipe", "recipe_yaml"]

_MOST_EPOCHS = 100


def as_recipe(outcome: Outcome, data: TrialData, command: str) -> Recipe:
    """Return the winner as a recipe for the family of its base.

    On the same data the epochs are those of a training with the default settings; on others they follow, as those of
    every recipe, from the samples that it sees.

    Args:
        outcome: of the search.
        data: what the trials trained on.
        command: what made the recipe.
    """
    training, plan = outcome.winner.trial.training, outcome.plan
    train = data.splits.select("train")
    settings = _settings(training, data.splits.select("valid"), data)
    recipe = FamilyRecipe(
        samples=_samples(plan.full_epochs, samples_of_epoch(train, data.model, training)),
        most_epochs=max(_MOST_EPOCHS, plan.full_epochs),
        measured=f"{command}: {outcome.sentence}",
        training=settings,
    )
    return Recipe(
        name="tuned", title=f"found by a search on {train.name}", families={family_of(data.model).name: recipe}
    )


def recipe_yaml(recipe: Recipe) -> str:
    """Return the text of the file of a recipe."""
    content = recipe.model_dump(exclude={"name"}, exclude_none=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)


def _settings(training: TrainingConfig, valid: DatasetManifest, data: TrialData) -> dict[str, Any]:
    """Return the settings of a recipe that are not the defaults; the score is named by what it is of the task."""
    settings = training.model_dump(mode="json", exclude=set(NOT_BY_RECIPE), exclude_defaults=True)
    settings["strategy"] = training.strategy  # named, as the learning rate is of this one
    if training.best_by == first_score(valid, data.evaluation) != "loss":
        settings["best_by"] = "score"
    return settings


def _samples(epochs: int, in_an_epoch: float) -> int:
    """Return the number of samples from which as many epochs follow."""
    return max(1, round(epochs * in_an_epoch))
