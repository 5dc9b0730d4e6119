"""The pipeline ``florence_predict``: from a folder of pictures to answers."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from florence2.codec.tasks import split_prefix
from florence2.config import EvaluationConfig, ModelConfig, PicturesConfig
from florence2.model.named import named_fingerprint
from pipelines.machines import on_gpu
from pipelines.portable import content_of, portable_named, portable_pictures
from steps.predict_images import predict_images

__all__ = ["florence_predict"]

_MODEL, _EVALUATION = ModelConfig(), EvaluationConfig()


@pipeline(name="florence_predict", enable_cache=True, execution_mode=ExecutionMode.FAIL_FAST)
def florence_predict(
    pictures: PicturesConfig, model: ModelConfig = _MODEL, evaluation: EvaluationConfig = _EVALUATION
) -> None:
    """Answer a prompt about every picture of a folder.

    The parameters are the sections of ``florence2.config.PredictionSettings``. The contents of the folder and of the
    model are hashed here, so that a change of either is part of the cache key.
    """
    split_prefix(pictures.prefix)
    pictures, model = portable_pictures(pictures), portable_named(model)
    predict_images.with_options(**on_gpu())(
        pictures=pictures,
        model=model,
        evaluation=evaluation,
        content=content_of(pictures.folder),
        model_content=named_fingerprint(model.base, model.revision),
    )
