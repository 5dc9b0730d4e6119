"""YAML without surprises: keys that occur twice, and aliases that multiply the content, are errors."""

from __future__ import annotations

import pytest
import yaml

from florence2.config.strict_yaml import load_yaml


def test_plain_values_are_read() -> None:
    assert load_yaml("a: {b: [1, 0.5, yes, null, text]}") == {"a": {"b": [1, 0.5, True, None, "text"]}}
    assert load_yaml("# nothing") is None


def test_a_merged_key_may_be_overridden() -> None:
    assert load_yaml("a: {<<: {epochs: 3, seed: 1}, epochs: 2}") == {"a": {"epochs": 2, "seed": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a:\n  b: 1\n  b: 2", "the key 'b' occurs twice, in lines 2 and 3; keep one"),
        ("a: {}\nb: {}\na: {}", "'a' occurs twice, in lines 1 and 3"),
        ("a: &t {b: *t}", "line 1: this value contains itself; write it without an alias"),
        ("[" * 1000, "nested too deeply"),
        ("a: !!python/object:os.system {}", "could not determine a constructor"),
    ],
)
def test_a_text_with_surprises_is_refused(text: str, message: str) -> None:
    with pytest.raises(yaml.YAMLError, match=message):
        load_yaml(text)


def test_aliases_that_multiply_the_content_are_refused() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
    ]
    with pytest.raises(yaml.YAMLError, match="more than 100,000 values; write it without aliases"):
        load_yaml("\n".join(lines))
