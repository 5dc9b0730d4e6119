"""The pipeline ``florence_predict``: from a folder of images to answers."""

from __future__ import annotations

from zenml import pipeline
from zenml.enums import ExecutionMode

from florence2.adapters import SCHEME, ModelAddress, model_source
from florence2.config import Effect, EvaluationConfig, ImagesConfig, ModelConfig
from florence2.errors import ConfigurationError
from florence2.model import named_fingerprint
from florence2.recipes import choose_base
from florence2.storage import redact
from pipelines.machines import on_gpu
from pipelines.portable import content_of, portable_images, portable_named
from steps.predict_images import predict_images
from steps.stack_registry import tracking_uri
from steps.uncached_settings import uncached_options

__all__ = ["florence_predict"]

_MODEL, _EVALUATION = ModelConfig(), EvaluationConfig()


@pipeline(name="florence_predict", enable_cache=True, execution_mode=ExecutionMode.FAIL_FAST)
def florence_predict(
    images: ImagesConfig | None = None,
    model: ModelConfig = _MODEL,
    evaluation: EvaluationConfig = _EVALUATION,
    pictures: ImagesConfig | None = None,
) -> None:
    """Answer a prompt about every image of a folder.

    The parameters are the sections of ``florence2.config.PredictionConfiguration``. The contents of the folder and of
    the model are hashed here, so that a change of either is part of the cache key.

    Args:
        images: the folder and the prompt; must be given.
        model: the model that answers.
        evaluation: how it generates.
        pictures: the earlier name of ``images``, for files that still use it.

    Raises:
        ConfigurationError: no images are given.
    """
    images = images or pictures
    if images is None:
        raise ConfigurationError("images: must be given; pass a file with images.folder, such as configs/predict.yaml")
    model, model_content = _pinned(choose_base(model, images.folder).model)
    source = model_source(model, tracking_uri() if model.base.startswith(SCHEME) else None)
    source.tasks().split_prefix(images.prefix)
    images = portable_images(images)
    predict_images.with_options(**on_gpu(), **uncached_options(evaluation=evaluation))(
        images=images,
        model=model,
        evaluation=evaluation.without(Effect.EXECUTION, Effect.REPORT),
        content=content_of(images.folder),
        model_content=model_content,
    )


def _pinned(model: ModelConfig) -> tuple[ModelConfig, str]:
    """Return settings that name one content on every machine, and the fingerprint of that content.

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
