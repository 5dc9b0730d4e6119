"""The section ``search``."""

from __future__ import annotations

from typing import Any

import pytest

from florence2.config import Configuration, Range, TuningConfiguration
from florence2.errors import ConfigurationError


def test_a_dimension_is_a_list_or_a_range() -> None:
    space: Any = {
        "strategy": ["full", "lora"],
        "batch_size": {"low": 4, "high": 16},
        "flip": [0, 0.5],
    }
    read = TuningConfiguration(search={"space": space}).search.space
    assert read == {
        "strategy": ("full", "lora"),
        "batch_size": Range(low=4, high=16),
        "flip": (0, 0.5),
    }


@pytest.mark.parametrize(
    ("dimension", "problem"),
    [
        ({"low": 2, "high": 1}, "low must be less than high, not 2 and 1"),
        ({"low": 0, "high": 1, "log": True}, "with log, low must be greater than 0, not 0"),
        ({"low": 1}, "high: Field required"),
    ],
)
def test_a_wrong_range_is_explained(dimension: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        TuningConfiguration(search={"space": {"flip": dimension}})


def test_minutes_and_trials_may_be_given_without_their_section() -> None:
    search = TuningConfiguration(dataset="D", epochs=3, minutes=5, trials=4).search
    assert (search.minutes, search.trials, search.parallel) == (5, 4, 1)


def test_a_fine_tune_has_no_search() -> None:
    with pytest.raises(ConfigurationError, match="minutes: unknown key"):
        Configuration(minutes=5)  # type: ignore[call-arg]
