"""Step: the settings of the training that were left open are chosen."""

from __future__ import annotations

import logging
from typing import Annotated, Any

from zenml import log_metadata, step
from zenml.materializers.pydantic_materializer import PydanticMaterializer

from florence2.config import Effect, EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.recipes import Recipe
from florence2.recipes import choose_recipe as choose
from steps.artifact_store import fetch_packed
from steps.code_dependencies import follow_code
from steps.training_settings import TrainingSettings

__all__ = ["choose_recipe"]

logger = logging.getLogger(__name__)


# One materializer for both outputs would go through a set of their names in ZenML 0.98, whose order, and with it the
# cache key, differs from process to process.
@step(
    cache_policy=follow_code(__file__),
    output_materializers={"training": PydanticMaterializer, "evaluation": PydanticMaterializer},
)
def choose_recipe(
    training_data: DatasetManifest,
    model: ModelConfig,
    training: dict[str, Any],
    evaluation: dict[str, Any],
    base_content: str,  # noqa: ARG001
    own_recipe: str,
    evaluator_code: str,
) -> tuple[Annotated[TrainingSettings, "training"], Annotated[EvaluationConfig, "evaluation"]]:
    """Complete the settings by the recipe for the data and the base; what was given stays.

    Args:
        training_data: the splits train and valid.
        model: the base.
        training: the settings that were given, not those with ``Effect.EXECUTION``.
        evaluation: the settings that were given, not those with ``Effect.EXECUTION``.
        base_content: fingerprint of the base; a changed base changes the cache key.
        own_recipe: the user's recipe as JSON, as its file is on another machine; empty for one of the library.
        evaluator_code: passed on where the best epoch is chosen by answers.
    """
    fetch_packed(training_data.source, model.base)
    chosen = choose(
        training_data,
        model,
        TrainingConfig.model_validate(training),
        EvaluationConfig.model_validate(evaluation),
        Recipe.model_validate_json(own_recipe) if own_recipe else None,
    )
    if chosen.reason:
        logger.info("%s", chosen.reason)
    log_metadata(metadata={"recipe": chosen.training.recipe, "reason": chosen.reason})
    needs_answers = chosen.training.best_by != "loss"
    settings = TrainingSettings(
        training=chosen.training,
        evaluation=chosen.evaluation.without(Effect.REPORT) if needs_answers else None,
        evaluator_code=evaluator_code if needs_answers else "",
    )
    return settings, chosen.evaluation
