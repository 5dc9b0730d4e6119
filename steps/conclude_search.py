"""Step: the trials of a search are compared, and the winner becomes a recipe."""

from __future__ import annotations

from typing import Annotated, Any

from zenml import log_metadata, step
from zenml.types import HTMLString

from florence2.config import EvaluationConfig, ModelConfig
from florence2.datasets import DatasetManifest
from florence2.reports import render_tuning
from florence2.tuning import EndedTrial, SearchPlan, TrialData, as_recipe, conclude, recipe_yaml
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code

__all__ = ["conclude_search"]


@step(cache_policy=follow_code(__file__))
def conclude_search(
    plan: SearchPlan,
    ended: list[EndedTrial],
    training_data: DatasetManifest,
    model: ModelConfig,
    evaluation: EvaluationConfig,
) -> tuple[Annotated[str, "recipe"], Annotated[HTMLString, "page"], Annotated[list[dict[str, Any]], "trials"]]:
    """Return the recipe of the winner as YAML, the page, and all trials.

    Args:
        plan: of the search.
        ended: all trials.
        training_data: the splits train and valid.
        model: the base.
        evaluation: how answers are generated and evaluated.
    """
    fetch_packed(model.base)
    outcome = conclude(plan, ended)
    recipe = as_recipe(outcome, TrialData(training_data, model, evaluation), "florence_tune")
    log_metadata(metadata={"result": outcome.sentence, "winner": outcome.winner.number, "better": outcome.is_better})
    return recipe_yaml(recipe), HTMLString(render_tuning(outcome)), [each.model_dump(mode="json") for each in ended]
