"""Walking through JSON: the same values as the standard library, each with its line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.datasets.formats.positioned_json import walk_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=4), values, max_size=4), st.sampled_from([None, 0, 2]))
def test_gives_the_values_of_the_standard_library(content: dict[str, Any], indent: int | None) -> None:
    again: dict[str, Any] = {key: [] for key, value in content.items() if value == []}
    for key, value, _ in walk_json(json.dumps(content, indent=indent)):
        if isinstance(content[key], list):
            again.setdefault(key, []).append(value)
        else:
            again[key] = value
    assert again == content


def test_yields_the_line_of_each_part() -> None:
    text = '\n{"a": [1,\n\n  {"b":\n 2}], "c":\n "d"\n}\n'
    assert list(walk_json(text)) == [("a", 1, 2), ("a", {"b": 2}, 4), ("c", "d", 6)]
    assert list(walk_json('[\r\n"a", [\r\n1]]')) == [("", "a", 2), ("", [1], 2)]


@pytest.mark.parametrize(
    "text", ["", "{", "[", "[1", "[1,", "[1,]", "{1: 2}", '{"a" 1}', '{"a": 1,}', '{"a": [1}', "[] []", "null", "{]"]
)
def test_refuses_what_the_standard_library_refuses(text: str) -> None:
    with pytest.raises(json.JSONDecodeError):
        list(walk_json(text))


def test_refuses_a_key_that_occurs_twice_where_it_does() -> None:
    with pytest.raises(json.JSONDecodeError, match=r"the key 'a' occurs twice: line 2 column 10"):
        list(walk_json('{"a": [],\n "b": 1, "a": []}'))
