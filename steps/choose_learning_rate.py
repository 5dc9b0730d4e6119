"""Step: the learning rate is chosen by short trainings, where that is requested."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Annotated

from zenml import log_metadata, step
from zenml.materializers.pydantic_materializer import PydanticMaterializer

from florence2.config import AUTO_RATE, ModelConfig
from florence2.datasets import DatasetManifest
from florence2.storage import cache_folder
from florence2.training import RateChoice
from steps.artifact_store import fetch_packed
from steps.code_dependencies import code_of, follow_code
from steps.training_settings import TrainingSettings
from steps.uncached_settings import with_uncached

__all__ = ["choose_learning_rate"]

logger = logging.getLogger(__name__)


# Two materializers for the reason that choose_recipe has.
@step(
    cache_policy=follow_code(__file__),
    output_materializers={"settings": PydanticMaterializer, "learning_rates": PydanticMaterializer},
)
def choose_learning_rate(
    training_data: DatasetManifest,
    model: ModelConfig,
    settings: TrainingSettings,
    base_content: str,
) -> tuple[Annotated[TrainingSettings, "settings"], Annotated[RateChoice, "learning_rates"]]:
    """Return the settings with a number where the learning rate is ``auto``, else as they are.

    A search that was killed does not repeat the short trainings that had ended on this machine.

    Args:
        training_data: the splits train and valid.
        model: the base.
        settings: of the training.
        base_content: fingerprint of the base; a changed base changes the cache key.
    """
    if settings.training.learning_rate != AUTO_RATE:
        return settings, RateChoice()
    # torch and transformers take seconds to import; a run without a search never needs them here.
    from florence2.training import choose_learning_rate as choose
    from florence2.training import run_identity

    training = with_uncached("training", settings.training)
    fetch_packed(training_data.source, model.base)
    code = {"code": code_of(__name__)}
    identity = json.dumps(run_identity(training_data, base_content, training) | code, sort_keys=True)
    file = cache_folder("learning_rates") / f"{hashlib.sha256(identity.encode()).hexdigest()[:24]}.json"
    chosen = choose(training_data, model, training, file, code)
    logger.info("learning rate %s", chosen.reason)
    log_metadata(metadata={"learning_rate": chosen.reason})
    resolved = settings.training.model_copy(update={"learning_rate": chosen.learning_rate})
    return settings.model_copy(update={"training": resolved}), chosen
