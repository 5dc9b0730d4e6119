"""``ServingCheck``: how a model serves in a fresh process that is given only its registry URI."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["ServingCheck"]


class ServingCheck(BaseModel):
    """What was measured in a fresh process.

    Attributes:
        failure: why the model could not be loaded or did not answer in time; empty where it answered.
        load_seconds: time until the model was ready.
        seconds_per_image: median time for one answer to one image, the first one left out.
        memory_gib: greatest resident memory of the process, or of its GPU if that was more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    failure: str = ""
    load_seconds: float | None = None
    seconds_per_image: float | None = None
    memory_gib: float | None = None
