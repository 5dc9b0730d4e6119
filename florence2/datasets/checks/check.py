"""From a manifest and its settings to what was found and a manifest to go on with.

What breaks a rule is found by an evaluator that is given (``florence2.adapters.great_expectations``); here it becomes
sentences, is mended, or set aside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from florence2.config import Outcome, ValidationConfig
from florence2.datasets.checks.images import NearGroups
from florence2.datasets.checks.repair import repair
from florence2.datasets.checks.report import LISTED_PER_RULE, QuarantinedRow, ValidationReport, Violation
from florence2.datasets.checks.rule import RepairKind, Rule
from florence2.datasets.checks.rules import outcomes_of
from florence2.datasets.checks.view import Positions, RuleBounds, View
from florence2.datasets.checks.views import make_views
from florence2.datasets.manifest import DatasetManifest

__all__ = ["Evaluate", "Evaluation", "check_manifest"]

# Clipping can leave a box without area, dropping it may make two rows equal: then it is over.
_MOST_REPAIRS = 8


class Evaluation(NamedTuple):
    """What an evaluator found.

    Attributes:
        broken: for each rule's code the positions in its view that break it, ascending.
        render: makes the page of the result from the violations to show, by the rule's code.
    """

    broken: Mapping[str, Positions]
    render: Callable[[Mapping[str, Sequence[Violation]]], str]


Evaluate = Callable[[Sequence[View], Sequence[Rule]], Evaluation]


def check_manifest(
    manifest: DatasetManifest,
    config: ValidationConfig,
    rules: Sequence[Rule],
    settings: RuleBounds,
    evaluate: Evaluate,
) -> tuple[DatasetManifest, ValidationReport]:
    """Check a data set, mend what is to be mended, and leave out what is to be left out.

    Args:
        manifest: the data set, also with rows that could not be read.
        config: the outcome of each rule.
        rules: the rules to check.
        settings: bounds of the rules.
        evaluate: finds what breaks them.

    Returns:
        The manifest without quarantined rows, as mended, and the report; errors that are to stop the run are in it.

    Raises:
        ConfigurationError: a rule that the configuration names is unknown or cannot have that outcome.
    """
    outcomes = outcomes_of(config)
    checked = {rule: outcomes.get(rule.code, "fail") for rule in rules if outcomes.get(rule.code) != "ignore"}
    mended = _mend(manifest, checked, settings, evaluate)
    found = {rule.code: mended.violations(rule, outcome) for rule, outcome in checked.items()}
    in_order = sorted((pair for pairs in found.values() for pair in pairs), key=itemgetter(0))
    counts = {rule.code: mended.counts[rule.code] + len(mended.evaluation.broken[rule.code]) for rule in checked}
    clean, quarantine = _set_aside(mended, [rule for rule, outcome in checked.items() if outcome == "quarantine"])
    return clean, ValidationReport(
        rows_checked=len(manifest),
        rows_repaired=mended.rows,
        counts={code: count for code, count in counts.items() if count},
        outcomes={rule.code: outcome for rule, outcome in checked.items()},
        violations=(*mended.listed, *(violation for _, violation in in_order)),
        quarantine=quarantine,
        docs_html=mended.evaluation.render({code: [one for _, one in pairs] for code, pairs in found.items()}),
    )


@dataclass(frozen=True)
class _Mended:
    """A manifest in which nothing is left to mend, what is known about it, and what was mended."""

    manifest: DatasetManifest
    views: Mapping[str, View]
    evaluation: Evaluation
    listed: tuple[Violation, ...]
    counts: Mapping[str, int]
    rows: int

    def violations(self, rule: Rule, outcome: Outcome) -> list[tuple[tuple[int, int], Violation]]:
        """Put into words what still breaks a rule."""
        # What a repair has left would be a defect that it cannot mend.
        left = "fail" if outcome == "repair" else outcome
        return _violations(rule, left, self.views[rule.view], self.evaluation)


def _mend(
    manifest: DatasetManifest, checked: Mapping[Rule, Outcome], settings: RuleBounds, evaluate: Evaluate
) -> _Mended:
    """Check and mend, until nothing is left to mend."""
    listed: list[Violation] = []
    counts = dict.fromkeys((rule.code for rule in checked), 0)
    origin, touched = np.arange(len(manifest)), np.zeros(len(manifest), dtype=bool)
    groups = NearGroups()
    for turn in range(_MOST_REPAIRS + 1):
        views, boxes = make_views(manifest, settings, groups)
        by_name: dict[str, View] = {view.name: view for view in views}
        evaluation = evaluate(views, list(checked))
        to_mend = [r for r, outcome in checked.items() if outcome == "repair" and len(evaluation.broken[r.code])]
        if not to_mend or turn == _MOST_REPAIRS:
            break
        for rule in to_mend:
            counts[rule.code] += len(evaluation.broken[rule.code])
            listed += [violation for _, violation in _violations(rule, "repair", by_name[rule.view], evaluation)]
        manifest, changed, keep = repair(manifest, boxes, _collect(to_mend, evaluation, by_name))
        touched[origin[changed]] = touched[origin[~keep]] = True
        origin = origin[keep]
    return _Mended(manifest, by_name, evaluation, tuple(listed), counts, int(touched.sum()))


def _collect(rules: Sequence[Rule], evaluation: Evaluation, views: Mapping[str, View]) -> dict[RepairKind, Positions]:
    """Gather what is to be mended in which way: boxes by their position, everything else by rows."""
    wanted: dict[RepairKind, Positions] = {}
    for rule in rules:
        assert rule.repair is not None
        positions = evaluation.broken[rule.code]
        if rule.view != "boxes":
            positions = views[rule.view].rows_of(positions)
        wanted[rule.repair] = np.union1d(wanted.get(rule.repair, np.zeros(0, dtype=np.int64)), positions)
    return wanted


def _violations(
    rule: Rule, outcome: Outcome, view: View, evaluation: Evaluation
) -> list[tuple[tuple[int, int], Violation]]:
    """Put into words the first that break a rule, each with its place in the order of the rows."""
    positions = evaluation.broken[rule.code][:LISTED_PER_RULE]
    severity = rule.severity
    if outcome in ("fail", "quarantine"):
        severity = "error"
    elif outcome == "warn" and severity == "error":
        severity = "warning"
    return [
        (
            (told["row"], told["line"]),
            Violation(
                code=rule.code,
                severity=severity,
                outcome=outcome,
                file=told["file"],
                line=int(told["line"]),
                value=str(told[rule.shows]),
                message=rule.detail.format_map(told),
                remedy=rule.remedy,
            ),
        )
        for told in (view.describe(positions) if len(positions) else [])
    ]


def _set_aside(mended: _Mended, rules: Sequence[Rule]) -> tuple[DatasetManifest, tuple[QuarantinedRow, ...]]:
    """Leave out the rows that break one of these rules, and keep them with the codes of all that they break."""
    manifest = mended.manifest
    codes: dict[int, list[str]] = {}
    for rule in rules:
        for row in mended.views[rule.view].rows_of(mended.evaluation.broken[rule.code]).tolist():
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
