"""The gates between a challenger and the champion."""

from __future__ import annotations

from typing import Any

import pytest

from florence2.config import PromotionConfig
from florence2.errors import ConfigurationError
from florence2.evaluation.bootstrap import Comparisons
from florence2.promotion.champion_gates import champion_gates
from florence2.promotion.gate import Gate
from tests.evidence import POLICY, compared, evidence, measured


def gates(policy: PromotionConfig = POLICY, **values: Any) -> dict[str, Gate]:
    return {gate.name: gate for gate in champion_gates(policy, evidence(**values), measured("1"))}


def test_rounding_errors_are_no_gain() -> None:
    assert gates(comparison=Comparisons({"map50": compared(1e-16, 1e-16)}))["improvement"].passed is False


def test_a_drop_in_a_class_that_may_be_chance_is_reported_and_accepted() -> None:
    classes = {"cat": {"ap50": compared(-0.5, 0.0)}}
    gate = gates(comparison=Comparisons({"map50": compared(0.05, 0.2)}, classes))["class_regression"]
    assert gate.passed
    assert gate.why == "Worse in cat (-0.250), which may be chance."


def test_a_gain_on_few_images_is_reported_as_less_sure() -> None:
    assert "With 12 test images" in gates(test_images=12)["improvement"].why
    assert "test images" not in gates(test_images=30)["improvement"].why


def test_a_changed_test_split_can_be_allowed() -> None:
    assert gates(versions_of_other_tests=("1", "2"))["same_test"].passed is False
    assert "same_test" not in gates(POLICY.model_copy(update={"same_test": False}), versions_of_other_tests=("1", "2"))


def test_a_primary_score_that_the_test_split_does_not_define_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"promotion\.primary: .* 'anls'; it defines map50"):
        gates(PromotionConfig(primary="anls"))
