"""The gates that look at the challenger alone."""

from __future__ import annotations

import pytest

from florence2.config import PromotionConfig
from florence2.errors import ConfigurationError
from florence2.promotion.evidence import MeasuredModel
from florence2.promotion.model_gates import data_gates, list_classes, score_gates, serving_gates
from tests.evidence import POLICY, evidence, measured


def test_limits_that_are_not_set_have_no_gate() -> None:
    assert [gate.name for gate in serving_gates(PromotionConfig(), measured("2"))] == ["serving"]
    assert [gate.name for gate in score_gates(PromotionConfig(), measured("2"))] == ["valid_answers"]


def test_what_a_model_that_does_not_load_would_have_answered_is_not_evaluated() -> None:
    broken = MeasuredModel("2", "no weights")
    gates = [*serving_gates(POLICY, broken), *score_gates(POLICY, broken)]
    assert [(gate.name, gate.outcome) for gate in gates] == [
        ("serving", "failed"),
        ("latency", "not evaluated"),
        ("memory", "not evaluated"),
        ("minimum", "not evaluated"),
        ("valid_answers", "not evaluated"),
        ("class_floor", "not evaluated"),
    ]
    assert gates[1].why == "It could not be evaluated."


def test_a_minimum_of_an_error_rate_is_a_maximum() -> None:
    policy = PromotionConfig(primary="character_error_rate", minimum=0.3)
    good, bad = (next(score_gates(policy, measured("2", scores={"character_error_rate": x}))) for x in (0.3, 0.31))
    assert (good.passed, bad.passed) == (True, False)
    assert bad.why == "0.310; at most 0.3 is required."


def test_a_score_that_the_test_split_does_not_define_is_an_error_that_names_those_it_defines() -> None:
    with pytest.raises(ConfigurationError, match=r"promotion\.primary: .* 'anls'; it defines map50"):
        list(score_gates(PromotionConfig(primary="anls", minimum=0.1), measured("2")))


def test_a_score_that_no_class_has_is_an_error_that_names_those_they_have() -> None:
    with pytest.raises(ConfigurationError, match=r"promotion\.class_score: .* 'recall'; they have ap50"):
        list(score_gates(PromotionConfig(class_score="recall"), measured("2")))


@pytest.mark.parametrize(
    ("leaked", "passed", "why"),
    [
        (0, True, "It was trained on none of the 40 test images."),
        (3, False, "It was trained on 3 of the 40 test images: its scores there mean nothing."),
        (None, False, "The images that it was trained on are not known: the list is gone"),
    ],
)
def test_test_images_must_be_known_to_be_new(leaked: int | None, passed: bool, why: str) -> None:
    gate = next(data_gates(POLICY, evidence(leaked_images=leaked, leak_unknown="the list is gone")))
    assert (gate.passed, gate.why) == (passed, why)


def test_classes_are_listed_with_the_smallest_value_first() -> None:
    assert list_classes({"cat": 0.5, "dog": 0.25}, "{:.2f}") == "dog (0.25), cat (0.50)"
