"""The rule set, the settings for it, and its page; that the rules find their defects is tested in test_validation."""

from __future__ import annotations

import re
import string

import numpy as np
import pytest

from florence2.config import ValidationConfig
from florence2.datasets.checks.rules import RULES, outcomes_of
from florence2.datasets.checks.view import RuleBounds
from florence2.datasets.checks.views import make_views
from florence2.errors import ConfigurationError
from florence2.reports.rules_page import rules_page
from tests import ROOT
from tests.builders import manifest


def test_codes_are_distinct_kebab_case() -> None:
    codes = [rule.code for rule in RULES]
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", code) for code in codes)


def test_every_rule_says_what_is_wrong_and_what_to_do() -> None:
    for rule in RULES:
        assert re.fullmatch(r"[A-Z].*\.", rule.sentence)
        assert rule.remedy
        assert not rule.remedy.endswith(".")
        assert rule.example


def test_every_rule_looks_at_a_column_of_its_view_and_names_what_the_view_describes() -> None:
    views, _ = make_views(manifest({}), RuleBounds())
    by_name = {view.name: view for view in views}
    for rule in RULES:
        view = by_name[rule.view]
        assert rule.column in view.table.columns, rule.code
        told = view.describe(np.array([0]))[0]
        needed = {name for _, name, _, _ in string.Formatter().parse(rule.detail) if name}
        assert needed | {rule.shows, "row", "file", "line"} <= set(told), rule.code


def test_every_column_has_a_rule_and_the_same_type_whatever_the_rows() -> None:
    checked = {(rule.view, rule.column) for rule in RULES}
    assert {rule.column for rule in RULES if rule.view == "rows"} >= {"repeats", "leaks_to"}
    good, _ = make_views(manifest({}), RuleBounds())
    bad, _ = make_views(manifest({"image_error": "missing: no"}, {"line_error": "x", "suffix": ""}), RuleBounds())
    empty, _ = make_views(manifest(), RuleBounds())
    for views in zip(good, bad, empty, strict=True):
        assert {(views[0].name, column) for column in views[0].table.columns} <= checked
        assert dict(views[0].table.dtypes) == dict(views[1].table.dtypes) == dict(views[2].table.dtypes)
    assert len(empty[0].table) == 0


class TestOutcomes:
    def test_by_default_errors_fail_and_the_rest_is_told(self) -> None:
        outcomes = outcomes_of(ValidationConfig())
        assert {outcomes[rule.code] for rule in RULES if rule.severity == "error"} == {"fail"}
        assert {outcomes[rule.code] for rule in RULES if rule.severity != "error"} == {"warn"}

    def test_quarantine_is_for_rules_about_rows(self) -> None:
        outcomes = outcomes_of(ValidationConfig(on_error="quarantine"))
        assert outcomes["location-count"] == "quarantine"
        assert outcomes["train-empty"] == "fail"
        assert outcomes["row-duplicate"] == "warn"

    def test_repair_mends_warnings_too_and_fails_what_it_cannot(self) -> None:
        outcomes = outcomes_of(ValidationConfig(on_error="repair"))
        able = {code for code, outcome in outcomes.items() if outcome == "repair"}
        assert able == {"box-outside", "box-zero-area", "box-duplicate", "class-blanks", "row-duplicate"}
        assert outcomes["location-count"] == "fail"
        assert outcomes["class-rare"] == "warn"

    def test_a_rule_can_be_set_by_itself(self) -> None:
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
    def test_what_a_rule_cannot_have_is_refused(self, code: str, outcome: str, message: str) -> None:
        with pytest.raises(ConfigurationError, match=re.escape(message)) as caught:
            outcomes_of(ValidationConfig(rules={code: outcome}))
        assert f"validation.rules.{code}: " in str(caught.value)

    def test_all_problems_are_listed(self) -> None:
        with pytest.raises(ConfigurationError) as caught:
            outcomes_of(ValidationConfig(rules={"nope": "fail", "prefix-text": "repair"}))
        assert len(str(caught.value).splitlines()) == 3


def test_the_page_of_the_rules_is_up_to_date() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == rules_page(), "run python -m florence2.reports.rules_page > docs/rules.md"
    assert all(f"### `{rule.code}`" in page for rule in RULES)
