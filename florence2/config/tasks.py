"""The section ``tasks``: what prompts of the user's own mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from florence2.config.base import BaseConfig

__all__ = ["TaskConfig", "TasksConfig", "nested_tasks"]

_ENTRIES = "task"
_NEW_TOKEN = "new_token"


class TaskConfig(BaseConfig):
    """One task. The kind of its answers alone may stand for it: ``json``, or ``json,new_token``."""

    answer: Literal["boxes", "quads", "polygons", "answer", "text", "json"] = Field(
        "text",
        description="How its answers are written: boxes, quads or polygons with locations; answer: short, right or "
        "wrong; text: more or less right; json: one JSON object.",
    )
    sentence: str = Field(
        "",
        max_length=1000,
        description="What the model reads, with {input} where the text after the token goes; empty: the token itself, "
        "which then takes no text.",
    )
    title: str = Field("", max_length=100, description="What it does, in words, for reports and menus.")
    metrics: tuple[str, ...] = Field(
        (), description="Metrics that evaluate it, the deciding one first; empty: those of the kind of its answers."
    )
    new_token: bool = Field(
        False,
        description="Whether its token becomes one of the model, with an embedding that is trained, also with LoRA.",
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_a_kind(cls, values: Any) -> Any:
        if not isinstance(values, str):
            return values
        kind, *flags = (word.strip() for word in values.split(","))
        if flags not in ([], [_NEW_TOKEN]):
            raise ValueError(f"after the kind of answer only {_NEW_TOKEN} may follow, not {', '.join(flags)}")
        return {"answer": kind, "new_token": bool(flags)}


class TasksConfig(BaseConfig):
    """Tasks of your own, by their token or by the sentence with which their prompts begin.

    A file may hold them without ``task``, as ``tasks.NAME.answer``. A model keeps those it was trained with.
    """

    task: dict[str, TaskConfig] = Field(
        default_factory=dict, description="Each task by its token: on the command line --task '<RECEIPT>=json'."
    )

    @model_validator(mode="before")
    @classmethod
    def _accept_the_tasks_alone(cls, values: Any) -> Any:
        return nested_tasks(values)

    @field_validator("task", mode="before")
    @classmethod
    def _accept_pairs(cls, value: Any) -> Any:
        """Accept ``["<RECEIPT>=json"]`` as well, which the command line gives."""
        if not isinstance(value, list | tuple):
            return value
        pairs = [str(pair).rpartition("=") for pair in value]
        if lonely := [kind for token, _, kind in pairs if not token]:
            raise ValueError(f"{lonely[0]!r} names no kind of answer; write it as TOKEN=json")
        return {token: kind for token, _, kind in pairs}


def nested_tasks(section: Any) -> Any:
    """Return the section with its tasks under their setting, where it holds the tasks themselves."""
    if isinstance(section, Mapping) and section and section.keys() != {_ENTRIES}:
        return {_ENTRIES: dict(section)}
    return section
