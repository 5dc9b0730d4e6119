"""JSON without the image: the most frequent value of each field."""

from __future__ import annotations

import json
from typing import Any

from florence2.codec import AnswerKind, Task
from florence2.evaluation.baselines.frequent_fields import FrequentFields
from florence2.evaluation.baselines.known_answer import KnownAnswer

TASK = Task("<RECEIPT>", AnswerKind.JSON, "Read it", sentence="<RECEIPT>")


def guess(*answers: Any) -> Any:
    known = [KnownAnswer("", each if isinstance(each, str) else json.dumps(each), (10, 10)) for each in answers]
    text, boxes = FrequentFields.fit(TASK, None, known).guess("", (1, 1))
    assert boxes is None
    return json.loads(text)


def test_each_field_has_its_most_frequent_value() -> None:
    assert guess({"a": "x", "b": 1}, {"a": "y", "b": 1}, {"a": "y", "b": 2}) == {"a": "y", "b": 1}


def test_a_rare_field_is_left_out() -> None:
    assert guess({"a": "x"}, {"a": "x"}, {"a": "x", "tip": "1"}) == {"a": "x"}


def test_objects_within_are_guessed_by_field_and_lists_as_a_whole() -> None:
    first, second = {"s": {"n": "a", "m": "1"}, "l": ["p", "q"]}, {"s": {"n": "b", "m": "1"}, "l": ["p", "q"]}
    assert guess(first, second, second) == {"s": {"n": "b", "m": "1"}, "l": ["p", "q"]}


def test_without_objects_it_is_an_empty_one() -> None:
    assert guess() == {}
    assert guess("no json") == {}
