"""Which outcome each rule has by the configuration, and which it can have."""

from __future__ import annotations

import re

import pytest

from florence2.config import ValidationConfig
from florence2.datasets.checks.outcomes import outcomes_of
from florence2.datasets.checks.rules import RULES
from florence2.errors import ConfigurationError


def test_by_default_errors_fail_and_the_rest_only_warns() -> None:
    outcomes = outcomes_of(ValidationConfig())
    assert {outcomes[rule.code] for rule in RULES if rule.severity == "error"} == {"fail"}
    assert {outcomes[rule.code] for rule in RULES if rule.severity != "error"} == {"warn"}


def test_quarantine_is_for_rules_about_rows() -> None:
    outcomes = outcomes_of(ValidationConfig(on_error="quarantine"))
    assert outcomes["location-count"] == "quarantine"
    assert outcomes["train-empty"] == "fail"
    assert outcomes["row-duplicate"] == "warn"


def test_repair_mends_warnings_too_and_fails_what_it_cannot() -> None:
    outcomes = outcomes_of(ValidationConfig(on_error="repair"))
    able = {code for code, outcome in outcomes.items() if outcome == "repair"}
    assert able == {"box-outside", "box-zero-area", "box-duplicate", "class-blanks", "row-duplicate"}
    assert outcomes["location-count"] == "fail"
    assert outcomes["class-rare"] == "warn"


def test_a_single_rule_can_have_an_outcome_of_its_own() -> None:
    rules = {"box-tiny": "fail", "box-outside": "repair", "image-in-two-splits": "warn", "class-rare": "ignore"}
    outcomes = outcomes_of(ValidationConfig(on_error="quarantine", rules=rules))
    assert {code: outcomes[code] for code in rules} == rules


@pytest.mark.parametrize(
    ("code", "outcome", "message"),
    [
        ("box-outsid", "repair", "no such rule; did you mean 'box-outside'?"),
        ("qqqq", "repair", "the rules are line-invalid"),
        (
            "box-inverted",
            "repair",
            "no safe repair for it; give another outcome (repair is there for row-duplicate",
        ),
        ("image-missing", "warn", "would let in what no training can use; give fail or quarantine"),
        ("line-invalid", "ignore", "would let in what no training can use"),
        ("image-unused", "quarantine", "concerns no row that could be left out"),
    ],
)
def test_what_a_rule_cannot_have_is_refused(code: str, outcome: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
        outcomes_of(ValidationConfig(rules={code: outcome}))
    assert f"validation.rules.{code}: " in str(caught.value)


def test_all_problems_are_listed() -> None:
    with pytest.raises(ConfigurationError) as caught:
        outcomes_of(ValidationConfig(rules={"nope": "fail", "prefix-text": "repair"}))
    assert len(str(caught.value).splitlines()) == 3
