"""The base of all sections, the effects of settings, and the types that several sections share."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BaseConfig", "Effect", "Fraction", "Seed"]

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class Effect(Enum):
    """What a setting has an effect on, where that is not the whole result.

    It is part of the field's type, as in ``Annotated[int, Effect.EXECUTION]``. The cache keys of the pipeline, and the
    check whether a killed run may continue with other settings, follow from it.

    Attributes:
        EXECUTION: how something runs: its speed, memory and saves, and the previews; not its result.
        REPORT: what a report shows of the answers; neither the answers nor which epoch is the best.
    """

    EXECUTION = "execution"
    REPORT = "report"


class BaseConfig(BaseModel):
    """Base of all sections: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def with_effect(cls, *effects: Effect) -> set[str]:
        """Return the keys of the settings of this section that have one of these effects and no other."""
        return {key for key, field in cls.model_fields.items() if any(effect in field.metadata for effect in effects)}

    def without(self, *effects: Effect) -> Self:
        """Return a copy in which every setting with one of these effects, and no other, has its default.

        What was not set stays so.
        """
        return type(self).model_validate(self.model_dump(exclude=self.with_effect(*effects), exclude_unset=True))

    def leaves(self, name: str, *, exclude: set[str] | None = None) -> dict[str, Any]:
        """Return the value of every setting below this section, by its full name.

        Args:
            name: of this section, ``training``; its settings are then called ``training.lora.rank``.
            exclude: keys of this section to leave out, with all settings below them.
        """
        found: dict[str, Any] = {}
        for key in type(self).model_fields.keys() - (exclude or set()):
            value = getattr(self, key)
            found |= value.leaves(f"{name}.{key}") if isinstance(value, BaseConfig) else {f"{name}.{key}": value}
        return found
