"""Check a data set against the rules: report what breaks them, repair it or leave it out, as the configuration says.

The rules are applied by a function that is given (``florence2.adapters`` gives Great Expectations); here their findings
become sentences, repairs and rows that are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from florence2.config import Outcome, ValidationConfig
from florence2.datasets.checks.definition import Finding, RepairKind, Rule
from florence2.datasets.checks.outcomes import outcomes_of
from florence2.datasets.checks.repair import repair
from florence2.datasets.checks.report import LISTED_PER_RULE, QuarantinedRow, ValidationReport, Violation
from florence2.datasets.checks.rules.answers import answer_too_long
from florence2.datasets.checks.view import Item, Positions, View
from florence2.datasets.checks.views import Views, make_views
from florence2.datasets.checks.views.boxes import Box, BoxesView
from florence2.datasets.checks.views.images import NearGroups
from florence2.datasets.checks.views.rows import AnswerLimit
from florence2.datasets.manifest import DatasetManifest

__all__ = ["RuleResults", "RunRules", "check_manifest"]

# Clipping can leave a box without area, and dropping that box may make two rows equal: then nothing is left to repair.
_MOST_REPAIRS = 8


class RuleResults(NamedTuple):
    """What came of applying rules to views.

    Attributes:
        findings: what breaks each rule, by its code.
        render: makes a page of the results.
    """

    findings: Mapping[str, Finding[Any]]
    render: Callable[[], str]


RunRules = Callable[[Sequence[View[Any]], Sequence[Rule]], RuleResults]
"""Applies rules, each to the view that it looks at."""


def check_manifest(
    manifest: DatasetManifest,
    config: ValidationConfig,
    rules: Sequence[Rule],
    limit: AnswerLimit | None,
    run_rules: RunRules,
) -> tuple[DatasetManifest, ValidationReport]:
    """Check a data set, repair what is to be repaired, and leave out what is to be left out.

    Args:
        manifest: the data set, also with rows that could not be read.
        config: the outcome of each rule, and bounds.
        rules: the rules to check.
        limit: longest answer; without it the length of answers is not checked.
        run_rules: applies them.

    Returns:
        The repaired manifest without quarantined rows, and the report; errors that are to stop the run are in it.

    Raises:
        ConfigurationError: a rule that the configuration names is unknown or cannot have that outcome.
    """
    outcomes = outcomes_of(config, rules)
    checked = {
        rule: outcomes[rule.code]
        for rule in rules
        if outcomes[rule.code] != "ignore" and (limit is not None or rule is not answer_too_long)
    }
    repaired = _repair(manifest, config, checked, limit, run_rules)
    listed = sorted(
        (pair for rule, outcome in checked.items() for pair in repaired.violations(rule, outcome)), key=itemgetter(0)
    )
    findings = repaired.results.findings
    counts = {rule.code: repaired.counts[rule.code] + len(findings[rule.code].positions) for rule in checked}
    clean, quarantine = _set_aside(repaired, [rule for rule, outcome in checked.items() if outcome == "quarantine"])
    return clean, ValidationReport(
        rows_checked=len(manifest),
        rows_repaired=repaired.rows,
        counts={code: count for code, count in counts.items() if count},
        outcomes={rule.code: outcome for rule, outcome in checked.items()},
        violations=(*repaired.listed, *(violation for _, violation in listed)),
        quarantine=quarantine,
        docs_html=repaired.results.render(),
    )


@dataclass(frozen=True)
class _Repaired:
    """A manifest in which nothing is left to repair, what is known about it, and what was repaired."""

    manifest: DatasetManifest
    views: Views
    results: RuleResults
    listed: tuple[Violation, ...]
    counts: Mapping[str, int]
    rows: int

    def violations(self, rule: Rule, outcome: Outcome) -> list[tuple[tuple[int, int], Violation]]:
        """Return what still breaks a rule, in words."""
        # What is left after the repairs cannot be repaired.
        left = "fail" if outcome == "repair" else outcome
        return _violations(rule, left, self.views.of(rule), self.results.findings[rule.code])


def _repair(
    manifest: DatasetManifest,
    config: ValidationConfig,
    checked: Mapping[Rule, Outcome],
    limit: AnswerLimit | None,
    run_rules: RunRules,
) -> _Repaired:
    """Check and repair, until nothing is left to repair."""
    listed: list[Violation] = []
    counts = dict.fromkeys((rule.code for rule in checked), 0)
    origin, touched = np.arange(len(manifest)), np.zeros(len(manifest), dtype=bool)
    groups = NearGroups()
    for turn in range(_MOST_REPAIRS + 1):
        views = make_views(manifest, config, limit, groups)
        results = run_rules(views, list(checked))
        findings = results.findings
        repairable = [rule for rule, outcome in checked.items() if outcome == "repair"]
        repairable = [rule for rule in repairable if len(findings[rule.code].positions)]
        if not repairable or turn == _MOST_REPAIRS:
            break
        for rule in repairable:
            counts[rule.code] += len(findings[rule.code].positions)
            listed += [found for _, found in _violations(rule, "repair", views.of(rule), findings[rule.code])]
        manifest, changed, keep = repair(manifest, views.boxes.boxes, _collect(repairable, findings, views))
        touched[origin[changed]] = touched[origin[~keep]] = True
        origin = origin[keep]
    return _Repaired(manifest, views, results, tuple(listed), counts, int(touched.sum()))


def _collect(rules: Sequence[Rule], findings: Mapping[str, Finding[Any]], views: Views) -> dict[RepairKind, Positions]:
    """Gather what is to be repaired in which way: boxes by their position, everything else by rows."""
    wanted: dict[RepairKind, Positions] = {}
    for rule in rules:
        assert rule.repair is not None
        positions = findings[rule.code].positions
        if rule.view is not BoxesView:
            positions = views.of(rule).rows_of(positions)
        wanted[rule.repair] = np.union1d(wanted.get(rule.repair, np.zeros(0, dtype=np.int64)), positions)
    return wanted


def _violations(
    rule: Rule, outcome: Outcome, view: View[Any], finding: Finding[Any]
) -> list[tuple[tuple[int, int], Violation]]:
    """Put the first findings of a rule into words, each with its position in the order of the rows."""
    severity = rule.severity
    if outcome in ("fail", "quarantine"):
        severity = "error"
    elif outcome == "warn" and severity == "error":
        severity = "warning"
    return [
        (
            (item.row, item.line),
            Violation(
                code=rule.code,
                severity=severity,
                outcome=outcome,
                file=item.file,
                line=item.line,
                value=str(finding.value(item)),
                message=_named(item, finding.message(item)),
                remedy=rule.remedy,
            ),
        )
        for item in view.items(finding.positions[:LISTED_PER_RULE])
    ]


def _named(item: Item, message: str) -> str:
    """Return a message that begins with the id by which the file names a box, if it does."""
    key = item.key if isinstance(item, Box) else ""
    return f"annotation id {key}: {message}" if key else message


def _set_aside(repaired: _Repaired, rules: Sequence[Rule]) -> tuple[DatasetManifest, tuple[QuarantinedRow, ...]]:
    """Leave out the rows that break one of these rules, and keep them with the codes of all that they break."""
    manifest = repaired.manifest
    codes: dict[int, list[str]] = {}
    for rule in rules:
        positions = repaired.results.findings[rule.code].positions
        for row in repaired.views.of(rule).rows_of(positions).tolist():
            codes.setdefault(row, []).append(rule.code)
    if not codes:
        return manifest, ()
    rows = sorted(codes)
    left_out = manifest.table.iloc[rows]
    fields: Any = zip(*(left_out[name].tolist() for name in ("file", "line", "image", "prefix", "suffix")), strict=True)
    quarantine = tuple(
        QuarantinedRow(file, line, tuple(dict.fromkeys(codes[row])), image, prefix, suffix)
        for row, (file, line, image, prefix, suffix) in zip(rows, fields, strict=True)
    )
    return manifest.drop(rows), quarantine
