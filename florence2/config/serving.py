"""The configuration of a served model: what a request may hold, and how the server works."""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, model_validator

from florence2.config.configuration import BaseConfiguration
from florence2.config.sections import BaseConfig, EvaluationConfig, ModelConfig

__all__ = ["LimitsConfig", "ServingConfig", "ServingConfiguration"]


class LimitsConfig(BaseConfig):
    """What a request may hold."""

    max_upload_mb: float = Field(
        16.0, gt=0, le=4096, description="Largest request, and largest file of an image, in megabytes."
    )
    max_pixels: int = Field(
        40_000_000, ge=1, le=89_478_485, description="Largest image, width times height; a larger one is not decoded."
    )
    max_questions: int = Field(16, ge=1, le=4096, description="Images with their prompts in one request.")
    allow_urls: bool = Field(False, description="Fetch images by http and https, from public addresses only.")
    url_seconds: float = Field(10.0, gt=0, le=600, description="Time in which an image by URL must be here.")

    @property
    def max_bytes(self) -> int:
        """Return the largest request and file in bytes."""
        return int(self.max_upload_mb * 1_000_000)


class ServingConfig(BaseConfig):
    """How the server works."""

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen at; 0.0.0.0: all of this machine.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen at; 0: any that is free.")
    max_batch: int = Field(16, ge=1, le=4096, description="Questions that the model answers together.")
    queue: int = Field(
        256, ge=1, le=65_536, description="Requests that are worked on or wait; to more the server says 503."
    )
    request_seconds: float = Field(
        60.0, gt=0, le=86_400, description="Time limit of a request; then the server says 504."
    )
    poll_seconds: float = Field(
        10.0, gt=0, le=86_400, description="Pause between two looks at where the alias of the model points."
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
        super().__init__(**values)  # said again, so that type checkers let keys stand without their section

    @model_validator(mode="after")
    def _leave_room_for_the_largest_request(self) -> Self:
        # All questions of a request wait or none: one that never fits would be told to come back for ever.
        most, room = self.limits.max_questions, self.serving.queue
        if most > room:
            raise ValueError(
                f"limits.max_questions {most} is more than serving.queue {room}: a request of {most} questions would "
                f"never be let in; raise queue to {most}, or lower max_questions to {room}"
            )
        return self
