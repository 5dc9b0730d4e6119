"""Settings over other settings."""

from __future__ import annotations

from florence2.config.merging import merged


def test_settings_are_overridden_one_by_one_and_nothing_else_changes() -> None:
    lora = {"rank": 4, "alpha": 8}
    below = {"training": {"epochs": 3, "lora": lora}, "model": {"base": "a"}}
    above = {"training": {"lora": {"rank": 2}}, "split": {"split_seed": 1}}
    assert merged(below, above) == {
        "training": {"epochs": 3, "lora": {"rank": 2, "alpha": 8}},
        "model": {"base": "a"},
        "split": {"split_seed": 1},
    }
    assert lora == {"rank": 4, "alpha": 8}, "what was given is not changed"


def test_a_value_replaces_a_section_and_the_other_way_round() -> None:
    assert merged({"a": {"b": 1}}, {"a": None}) == {"a": None}
    assert merged({"a": 1}, {"a": {"b": 1}}) == {"a": {"b": 1}}
