"""The rules applied to a manifest without Great Expectations, whose import takes seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from florence2.config import ValidationConfig
from florence2.datasets.checks.check import RuleResults, check_manifest
from florence2.datasets.checks.definition import Rule
from florence2.datasets.checks.report import ValidationReport
from florence2.datasets.checks.rules import RULES
from florence2.datasets.checks.view import View
from florence2.datasets.checks.views.rows import AnswerLimit
from florence2.datasets.manifest import DatasetManifest

__all__ = ["BOX", "OTHER", "check", "codes_and_lines", "found", "run_rules", "task"]

BOX = "<loc_10><loc_20><loc_300><loc_400>"
OTHER = "<loc_500><loc_500><loc_700><loc_700>"


def run_rules(views: Sequence[View[Any]], rules: Sequence[Rule]) -> RuleResults:
    """Apply each rule to its view, as Great Expectations does."""
    by_class = {type(view): view for view in views}
    findings = {rule.code: rule.check(by_class[rule.view]) for rule in rules}
    count = sum(len(finding.positions) for finding in findings.values())
    return RuleResults(findings, lambda: f"{count} found")


def check(
    rows: DatasetManifest, limit: AnswerLimit | None = None, **config: Any
) -> tuple[DatasetManifest, ValidationReport]:
    """Check a manifest; a class with few boxes is only reported where ``rare_class`` is given."""
    return check_manifest(rows, ValidationConfig(**{"rare_class": 0} | config), RULES, limit, run_rules)


def found(rows: DatasetManifest, limit: AnswerLimit | None = None, **config: Any) -> list[tuple[str, int, str]]:
    """Return the code, the line and the message of all that breaks a rule."""
    return [(v.code, v.line, v.message) for v in check(rows, limit, **config)[1].violations]


def codes_and_lines(rows: DatasetManifest, **config: Any) -> list[tuple[str, int]]:
    """Return the code and the line of all that breaks a rule."""
    return [(code, line) for code, line, _ in found(rows, **config)]


def task(token: str, suffix: str, text: str = "") -> dict[str, str]:
    """Return what a row of a task has besides the rest of a valid row."""
    return {"task": token, "prefix": token + text, "suffix": suffix}
