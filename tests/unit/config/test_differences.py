"""Which settings differ between two stored configurations."""

from __future__ import annotations

from typing import Any

from florence2.config import Configuration
from florence2.config.differences import changed_settings


def test_a_changed_setting_has_its_full_name_and_both_values() -> None:
    before, after = (Configuration(epochs=epochs, rank=rank) for epochs, rank in ((2, 16), (8, 4)))
    assert changed_settings(before.model_dump(mode="json"), after.model_dump(mode="json")) == {
        "training.lora.rank": ("16", "4"),
        "training.epochs": ("2", "8"),
    }


def test_a_setting_that_only_one_version_of_the_library_has_is_marked() -> None:
    assert changed_settings({"a": {"old": 1}}, {"a": {"new": 0.5}}) == {"a.new": ("–", "0.5"), "a.old": ("1", "–")}  # noqa: RUF001


def test_values_are_written_as_in_a_file() -> None:
    before: dict[str, Any] = {"a": {"rate": None, "frozen": True, "metrics": [], "rules": {}}}
    after = {"a": {"rate": 0.001, "frozen": False, "metrics": ["anls", "cider"], "rules": {"tiny-box": "fail"}}}
    assert changed_settings(before, after) == {
        "a.rate": ("empty", "0.001"),
        "a.frozen": ("true", "false"),
        "a.metrics": ("empty", "anls, cider"),
        "a.rules.tiny-box": ("–", "fail"),  # noqa: RUF001
    }
