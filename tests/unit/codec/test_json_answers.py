"""Answers in JSON: what is one, and what its fields are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.json_answers import RepeatedNameError, fields_of, normal_json, parse_json
from florence2.errors import AnswerError

leaves = st.one_of(st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.none())
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
)
objects = st.dictionaries(st.text(max_size=4), values, max_size=4)


@given(objects)
def test_an_object_is_read_as_it_was_written(content: dict[str, Any]) -> None:
    assert parse_json(json.dumps(content, ensure_ascii=False)) == content


@given(objects)
def test_the_normal_form_of_a_normal_form_is_itself(content: dict[str, Any]) -> None:
    normal = normal_json(content)
    assert normal_json(normal) == normal
    assert all(value for _, value in fields_of(normal))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1', "not JSON: .* at character 8"),
        ("ACME 3.50", "not JSON"),
        ("", "not JSON"),
        ("[1]", "no object"),
        ("3", "no object"),
        ('{"a": NaN}', "NaN is no value"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_what_is_no_object_is_named(text: str, message: str) -> None:
    with pytest.raises(AnswerError, match=message) as raised:
        parse_json(text)
    assert not isinstance(raised.value, RepeatedNameError)


def test_a_name_that_is_there_twice_is_named_also_within() -> None:
    with pytest.raises(RepeatedNameError, match="'total' is there twice"):
        parse_json('{"menu": [{"total": 1, "total": 1}]}')


def test_fields_are_paths_and_values() -> None:
    menu = {"menu": [{"nm": " tea ", "price": 2}, {"nm": "cake", "sub": {"nm": "fork"}}], "paid": True, "tip": None}
    assert fields_of(normal_json(menu)) == [
        ("menu.nm", "tea"),
        ("menu.price", "2"),
        ("menu.nm", "cake"),
        ("menu.sub.nm", "fork"),
        ("paid", "true"),
    ]
    assert fields_of(normal_json({"empty": {"a": ["", None, []]}})) == []
