"""The page of the rules."""

from __future__ import annotations

from florence2.datasets import RULES
from florence2.reports.rules_page import rules_page
from tests import ROOT


def test_the_page_in_docs_is_up_to_date() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == rules_page(), "run python -m florence2.reports.rules_page > docs/rules.md"


def test_every_rule_has_its_entry_under_the_title_of_its_view() -> None:
    sections = {part.partition("\n")[0]: part for part in rules_page().split("\n## ")}
    for rule in RULES:
        assert f"### `{rule.code}`" in sections[rule.view.title]
