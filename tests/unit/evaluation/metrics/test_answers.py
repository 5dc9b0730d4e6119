"""Metrics of answers to questions against the official programs, and the registry of metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.errors import AnswerError
from florence2.evaluation.metrics.answers import (
    ExactAnswerMetric,
    RelaxedAccuracyMetric,
    VQAAccuracyMetric,
    anls,
    is_about_equal,
    normalize_answer,
    vqa_accuracy,
)
from florence2.evaluation.metrics.metric import AnswerMetric
from florence2.evaluation.metrics.registry import METRICS
from tests import ROOT

ORACLES = ROOT / "tests" / "oracles"
VQA = json.loads((ORACLES / "vqa_v2.json").read_text())["cases"]
ANSWER_METRICS = [metric for metric in METRICS.values() if issubclass(metric, AnswerMetric)]
ANLS = json.loads((ORACLES / "anls.json").read_text())["cases"]


@pytest.mark.parametrize("case", VQA, ids=lambda case: case["note"])
def test_equals_the_official_vqa_program(case: dict[str, Any]) -> None:
    assert vqa_accuracy(case["prediction"], case["answers"]) == pytest.approx(case["accuracy"], abs=1e-9)
    assert normalize_answer(case["prediction"].strip()) == case["normalised_prediction"]
    assert [normalize_answer(answer.strip()) for answer in case["answers"]] == case["normalised_answers"]


def test_a_single_reference_is_normalised_exact_match_and_not_always_wrong() -> None:
    assert vqa_accuracy("Two.", ["2"]) == 1.0
    assert vqa_accuracy("the dog", ["Dog"]) == 1.0
    assert vqa_accuracy("cat", ["dog"]) == 0.0


def test_unanimous_references_switch_normalisation_off_as_in_the_official_program() -> None:
    assert vqa_accuracy("Yes", ["yes"] * 10) == 0.0
    assert vqa_accuracy("Yes", ["yes"] * 9 + ["no"]) == 1.0


@pytest.mark.parametrize(("prediction", "answer", "accuracy"), [("", "A", 0), ("the", "A", 0), ("a", "A", 1)])
def test_an_answer_that_is_an_article_needs_that_article(prediction: str, answer: str, accuracy: float) -> None:
    assert vqa_accuracy(prediction, [answer]) == accuracy


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("DONT", "don't"),
        ("yalld've", "yalld've"),
        ("y'alld've", "y'all'd've"),
        ("somebody'd", "somebodyd"),
        ("its", "its"),
        ("." * 40, "." * 8),
        ("1,000 - 2", "1000 2"),
        ("a;b", "b"),
        ("yes;no", "yes no"),
    ],
)
def test_normalisation_keeps_the_peculiarities_of_the_official_program(text: str, normal: str) -> None:
    assert normalize_answer(text) == normal


@pytest.mark.parametrize("case", [case for case in ANLS if not case["disputed"]], ids=lambda case: case["note"])
def test_equals_three_anls_programs_where_they_agree(case: dict[str, Any]) -> None:
    assert anls(case["prediction"], case["answers"]) == pytest.approx(case["expected"], abs=1e-9)


def test_disputed_conventions_of_anls_are_those_documented() -> None:
    assert anls("ab", ["ax"]) == 0.5  # a similarity of exactly the threshold counts
    assert anls("a  b", ["a b"]) == 1.0  # repeated blanks are one
    assert anls("none", ["none"]) == 1.0  # a word like any other
    assert anls("abc", ["axy"]) == 0.0


def test_exact_answer_is_strict() -> None:
    assert ExactAnswerMetric().score(" Two", "Two ") == 1.0
    assert ExactAnswerMetric().score("two", "Two") == 0.0
    assert ExactAnswerMetric().score("two", ["Two", "two"]) == 1.0


@pytest.mark.parametrize(
    ("prediction", "answer", "right"),
    [
        ("105", "100", True),
        ("94.9", "100", False),
        ("-95", "-100", True),
        ("-100", "100", False),
        ("1.05", "1", True),  # 5 % exactly, though 1.05 - 1 is more than 0.05 in floating point
        ("0.0", "0", True),
        ("0.01", "0", False),
        ("50%", "0.5", True),
        ("50%", "50", False),
        ("1,000", "1000", False),
        ("1e3", "1000", True),
        ("Blue", " blue", True),
        ("light blue", "blue", False),
        ("nan", "nan", True),
        ("inf", "100", False),
        ("1_000", "1000", False),
        ("9e99999999999", "1", False),
        ("", "0", False),
    ],
)
def test_relaxed_accuracy_lets_numbers_be_five_percent_off(prediction: str, answer: str, right: bool) -> None:
    assert is_about_equal(prediction, answer) is right
    assert RelaxedAccuracyMetric().score(prediction, ["something else", answer]) == right


@pytest.mark.parametrize("kind", ANSWER_METRICS, ids=lambda kind: kind.name)
@given(
    pairs=st.lists(st.tuples(st.text("ab .1", max_size=4), st.text("ab .1", max_size=4)), min_size=1),
    shuffle=st.randoms(),
)
@settings(max_examples=30, deadline=None)
def test_order_decides_nothing(kind: type[AnswerMetric], pairs: list[tuple[str, str]], shuffle: Any) -> None:
    shuffled = list(pairs)
    shuffle.shuffle(shuffled)
    metric = kind()
    computed = []
    for order in (pairs, shuffled):
        metric.reset()
        for prediction, target in order:
            metric.update(prediction, target)
        computed.append(metric.compute())
    assert computed[0] == computed[1]
    assert 0.0 <= computed[0][metric.name] <= 1.0
    assert metric.counts() == {"answers": len(pairs)} == {"answers": len(metric.values())}


def test_no_sample_gives_no_score() -> None:
    assert VQAAccuracyMetric().compute() == {}


@pytest.mark.parametrize("prediction", ["<s>two</s>", "two</s><pad><pad>", "</s><s>two</s>"])
def test_special_tokens_left_in_an_answer_are_refused(prediction: str) -> None:
    with pytest.raises(AnswerError, match="special tokens"):
        VQAAccuracyMetric().update(prediction, "two")


def test_a_question_without_references_is_refused() -> None:
    with pytest.raises(AnswerError, match="without a reference"):
        VQAAccuracyMetric().update("two", [])
