"""The list of the rules."""

from __future__ import annotations

import re

from florence2.datasets.checks.rules import RULES


def test_codes_are_distinct_kebab_case() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes) == 47
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code) for code in codes)


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[A-Z].*\.", rule.sentence), rule.code
        assert rule.remedy
        assert not rule.remedy.endswith(".")
        assert rule.example


def test_rules_stand_in_the_order_in_which_they_are_written() -> None:
    codes = [rule.code for rule in RULES]
    assert codes[0] == "line-invalid"
    assert codes.index("suffix-empty") < codes.index("row-duplicate") < codes.index("box-outside")
    assert codes[-1] == "split-empty"
