"""Scores of answers in JSON, by hand and by the program of Donut."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from florence2.errors import AnswerError
from florence2.evaluation.metrics.json_fields import JSONFieldsMetric, json_tree_edit


def scores(*pairs: tuple[Any, Any]) -> dict[str, float]:
    return metric(*pairs).compute()


def metric(*pairs: tuple[Any, Any]) -> JSONFieldsMetric:
    found = JSONFieldsMetric()
    for given, expected in pairs:
        found.update(given if isinstance(given, str) else json.dumps(given), json.dumps(expected))
    return found


TARGET = {"company": "ACME", "total": "9.00"}


def test_an_equal_object_is_right_whatever_the_order_and_the_type_of_numbers() -> None:
    perfect = {"json_field_f1": 1.0, "json_field_anls": 1.0, "json_tree_edit": 1.0}
    assert scores(({"total": "9.00", "company": " ACME"}, TARGET)) == perfect
    assert scores(({"n": 3}, {"n": "3"})) == perfect


def test_fields_are_counted_over_all_answers() -> None:
    one_wrong = ({"company": "ACME", "total": "9.01"}, TARGET)
    missing: tuple[Any, Any] = ({}, {"company": "BEST", "total": "1.00", "date": "today"})
    found = scores(one_wrong, missing)
    assert found["json_field_f1"] == pytest.approx(2 * 1 / (2 + 2 + 0 + 3))
    assert found["json_field_anls"] == pytest.approx((1 + 0.75) / 5), "a missing field has 0"
    assert metric(one_wrong, missing).values() == pytest.approx((0.5, 0.0))


def test_a_field_too_many_counts_against_the_answer() -> None:
    assert scores(({**TARGET, "tip": "1"}, TARGET))["json_field_f1"] == pytest.approx(4 / 5)
    assert scores(({**TARGET, "tip": "1"}, TARGET))["json_field_anls"] == pytest.approx(2 / 3)


def test_what_is_no_object_has_no_fields() -> None:
    found = metric(("ACME 9.00", TARGET), ('{"company": "ACME"', TARGET))
    assert found.compute() == {"json_field_f1": 0.0, "json_field_anls": 0.0, "json_tree_edit": 0.0}
    assert found.counts() == {"true_fields": 4, "predicted_fields": 0, "answers_without_json": 2}
    with pytest.raises(AnswerError, match="special tokens"):
        JSONFieldsMetric().update("<s>{}</s>", "{}")
    with pytest.raises(AnswerError, match="not JSON"):
        JSONFieldsMetric().update("{}", "{")


def test_elements_of_lists_share_a_path_and_each_is_matched_once() -> None:
    found = metric(({"item": ["tea", "tea"]}, {"item": ["tea", "cake"]}))
    assert found.compute()["json_field_f1"] == pytest.approx(0.5)
    assert found.per_class() == {"item": {"json_field_f1": 0.5, "truths": 2.0, "predictions": 2.0}}


def test_each_field_has_a_score_of_its_own() -> None:
    found = metric(({"company": "ACME", "total": "1"}, TARGET), ({"company": "X", "extra": "1"}, TARGET))
    assert {path: row["json_field_f1"] for path, row in found.per_class().items()} == {"company": 0.5, "total": 0.0}
    weights = np.array([[1, 1], [2, 0]])
    assert found.resampled_per_class(weights)["company"]["json_field_f1"].tolist() == [0.5, 1.0]
    assert found.resampled(weights)["json_field_f1"].tolist() == pytest.approx([2 / 8, 4 / 8])


def test_nothing_is_defined_without_answers_and_an_empty_target_is_met_by_an_empty_object() -> None:
    assert JSONFieldsMetric().compute() == {}
    assert scores(({}, {})) == {"json_tree_edit": 1.0}
    assert scores(({"a": "b"}, {}))["json_tree_edit"] == 0.0
    found = metric((TARGET, TARGET))
    found.reset()
    assert (found.compute(), found.counts()["true_fields"]) == ({}, 0)


@pytest.mark.parametrize(
    ("given", "expected", "edits", "most"),
    [
        # By hand, as Donut counts: a name costs 1, a value its characters, an object within another 1.
        ({"a": "cat"}, {"a": "cut"}, 1, 4),
        ({"b": "cat"}, {"a": "cat"}, 1, 4),
        ({"a": "cat", "b": "x"}, {"a": "cat"}, 2, 4),
        ({}, {"a": {"b": "cat"}}, 6, 6),
        ({"m": [{"n": "tea"}]}, {"m": [{"n": "tea"}, {"n": "pie"}]}, 5, 11),
    ],
)
def test_tree_edits_by_hand(given: Any, expected: Any, edits: int, most: int) -> None:
    assert json_tree_edit(given, expected) == pytest.approx(1 - edits / most)
