"""Step: a model predicts every image of a folder."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from zenml import step

from florence2.config import EvaluationConfig, ImagesConfig, ModelConfig
from florence2.datasets import locate
from florence2.images import list_images
from florence2.inference import ImagePredictions
from materializers.predictions import PredictionsMaterializer
from steps.artifact_store import fetch_packed, file_system
from steps.code_dependencies import follow_code
from steps.stack_registry import tracking_uri
from steps.uncached_settings import with_uncached

__all__ = ["predict_images"]


# Nothing is evaluated here; the metrics are imported with the table of their scores.
@step(
    cache_policy=follow_code(__file__, but_not=["florence2.evaluation.metrics.registry"]),
    output_materializers=PredictionsMaterializer,
)
def predict_images(
    images: ImagesConfig,
    model: ModelConfig,
    evaluation: EvaluationConfig,
    content: str,  # noqa: ARG001
    model_content: str,
) -> Annotated[ImagePredictions, "predictions"]:
    """Load the model and predict; a run that was killed is continued.

    Args:
        images: the folder, the prompt, and how many images are drawn.
        model: names the model: also the folder of a checkpoint or of a run, or a registered version.
        evaluation: how answers are generated.
        content: fingerprint of the folder; a changed image changes it, and with it the cache key.
        model_content: fingerprint of the model.
    """
    from florence2.adapters import SCHEME, model_source
    from florence2.inference import open_answer_folder
    from florence2.inference import predict_images as answer_images

    fetch_packed(images.folder, model.base)
    evaluation = with_uncached("evaluation", evaluation)
    folder = locate(images.folder)
    answer_folder = open_answer_folder(images, model_content, evaluation, file_system)
    florence2 = model_source(model, tracking_uri() if model.base.startswith(SCHEME) else None).load()
    found = answer_images(florence2, list_images(folder), images.prefix, evaluation, folder, answer_folder)
    found = replace(found, drawn=images.drawn)
    if answer_folder is not None:
        answer_folder.finish(found)
    return found
