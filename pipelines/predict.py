"""The pipeline ``florence_predict``: from a folder of images to answers."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from florence2.adapters import SCHEME, ModelAddress
from florence2.codec import split_prefix
from florence2.config import Effect, EvaluationConfig, ImagesConfig, ModelConfig
from florence2.model import named_fingerprint
from florence2.storage import redact
from pipelines.machines import on_gpu
from pipelines.portable import content_of, portable_images, portable_named
from steps.uncached_settings import uncached_options
from steps.predict_images import predict_images
from steps.stack_registry import tracking_uri

__all__ = ["florence_predict"]

_MODEL, _EVALUATION = ModelConfig(), EvaluationConfig()


@pipeline(name="florence_predict", enable_cache=True, execution_mode=ExecutionMode.FAIL_FAST)
def florence_predict(
    images: ImagesConfig, model: ModelConfig = _MODEL, evaluation: EvaluationConfig = _EVALUATION
) -> None:
    """Answer a prompt about every image of a folder.

    The parameters are the sections of ``florence2.config.PredictionConfiguration``. The contents of the folder and of
    the model are hashed here, so that a change of either is part of the cache key.
    """
    split_prefix(images.prefix)
    model, model_content = _pinned(model)
    images = portable_images(images)
    predict_images.with_options(**on_gpu(), **uncached_options(evaluation=evaluation))(
        images=images,
        model=model,
        evaluation=evaluation.without(Effect.COURSE, Effect.REPORT),
        content=content_of(images.folder),
        model_content=model_content,
    )


def _pinned(model: ModelConfig) -> tuple[ModelConfig, str]:
    """Return settings that any machine understands and that mean one content, and what tells it from others.

    Raises:
        ModelError: there is no such model.
        RegistryError: there is no such registered model.
    """
    if not model.base.startswith(SCHEME):
        model = portable_named(model)
        return model, named_fingerprint(model.base, model.revision)
    address = ModelAddress.of(model.base, tracking_uri())
    version = f"{SCHEME}{address.name}/{address.version()}"
    return model.model_copy(update={"base": version}), f"{redact(address.tracking_uri)} {version}"
