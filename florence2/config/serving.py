"""The configuration of a served model: limits of a request, and how the server works."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from florence2.config.base import BaseConfig
from florence2.config.configuration import BaseConfiguration
from florence2.config.sections import EvaluationConfig, ModelConfig

__all__ = ["LimitsConfig", "ServingConfig", "ServingConfiguration"]


class LimitsConfig(BaseConfig):
    """Limits of a request."""

    max_upload_mb: float = Field(
        16.0, gt=0, le=4096, description="Largest request, and largest file of an image, in megabytes."
    )
    max_pixels: int = Field(
        40_000_000, ge=1, le=89_478_485, description="Largest image, width times height; a larger one is not decoded."
    )
    max_questions: int = Field(16, ge=1, le=4096, description="Images with their prompts in one request.")
    allow_urls: bool = Field(False, description="Fetch images by http and https, from public addresses only.")
    url_seconds: float = Field(10.0, gt=0, le=600, description="Time in which an image by URL must be fetched.")

    @property
    def max_bytes(self) -> int:
        """Return the largest request and file in bytes."""
        return int(self.max_upload_mb * 1_000_000)


class ServingConfig(BaseConfig):
    """How the server works."""

    host: str = Field(
        "127.0.0.1", min_length=1, description="Address to listen on; 0.0.0.0: all addresses of this machine."
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: any free one.")
    max_batch: int = Field(
        16, ge=1, le=4096, description="Images with their prompts that the model answers in one batch."
    )
    queue: int = Field(
        256,
        ge=1,
        le=65_536,
        description="Requests that are processed or wait; further ones are answered with status 503.",
    )
    request_seconds: float = Field(
        60.0, gt=0, le=86_400, description="Time limit of a request; after it the status is 504."
    )
    poll_seconds: float = Field(
        10.0, gt=0, le=86_400, description="Seconds between two checks of the version that the model's alias names."
    )
    tracking_uri: str | None = Field(
        None, description="MLflow store of models:/...; none: MLFLOW_TRACKING_URI, else the local stack's."
    )


class ServingConfiguration(BaseConfiguration):
    """The configuration of ``florence2 serve``."""

    model: ModelConfig = Field(default_factory=ModelConfig)
    serving: ServingConfig = Field(default_factory=ServingConfig)
    limits: LimitsConfig = Field(default_factory=LimitsConfig)
    evaluation: EvaluationConfig = Field(default_factory=EvaluationConfig)

    def __init__(self, /, **values: Any) -> None:
        super().__init__(**values)  # overrides the signature that type checkers derive from the sections

    @model_validator(mode="after")
    def _leave_room_for_the_largest_request(self) -> Self:
        # The images of a request wait together: a request that never fits would be answered with 503 forever.
        most, room = self.limits.max_questions, self.serving.queue
        if most > room:
            raise ValueError(
                f"limits.max_questions {most} is more than serving.queue {room}: a request with {most} images would "
                f"never be accepted; raise queue to {most}, or lower max_questions to {room}"
            )
        return self
