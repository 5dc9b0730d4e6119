"""``SearchConfig``: how long a search for better settings takes, and what it varies."""

from __future__ import annotations

from pydantic import Field, model_validator

from florence2.config.base import BaseConfig

__all__ = ["Dimension", "Range", "SearchConfig", "SettingValue"]

SettingValue = bool | int | float | str
"""The value of a setting."""


class Range(BaseConfig):
    """Every number between two limits; only whole ones where both limits are."""

    low: int | float = Field(description="Least value.")
    high: int | float = Field(description="Greatest value.")
    log: bool = Field(False, description="Each doubling is as likely as the next; for values that span magnitudes.")
    of_default: bool = Field(
        False, description="For learning_rate: the limits are multiples of the default of the strategy."
    )

    @model_validator(mode="after")
    def _is_a_range(self) -> Range:
        if self.low >= self.high:
            raise ValueError(f"low must be less than high, not {self.low} and {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"with log, low must be greater than 0, not {self.low}")
        return self


Dimension = Range | tuple[SettingValue, ...]
"""The values of one setting: a range, or a list of choices."""


class SearchConfig(BaseConfig):
    """A search for settings of the training that are better than those of the recipe."""

    minutes: float | None = Field(
        None,
        gt=0.0,
        description="Time for the trials, from which their number and length follow; empty: 10, or where trials are "
        "given, any.",
    )
    trials: int | None = Field(
        None, ge=1, le=10_000, description="Number of trials; empty: as many as the minutes allow."
    )
    parallel: int = Field(
        1,
        ge=1,
        le=64,
        description="Trials that are proposed together, and on a cluster trained at the same time; more trials learn "
        "less from each other.",
    )
    space: dict[str, Dimension] | None = Field(
        None, description="The settings that vary, each with its choices or its range; empty: by the data and the base."
    )
