"""Great Expectations checks the rules and renders its Data Docs; the only file that imports it.

Each rule of ``florence2.data.rules`` becomes an expectation on a column of the annotation table. The import takes
seconds and happens when a data set is validated.
"""

from __future__ import annotations

import html
import logging
import os
import re
from collections.abc import Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from florence2.config import ValidationConfig
from florence2.data.annotation_table import annotation_table
from florence2.data.manifest import DatasetManifest
from florence2.data.rules import RULES, Between, IsNull, NotIn, Rule
from florence2.data.validation import ValidationReport, Violation
from florence2.errors import Florence2Error

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

__all__ = ["validate"]

_DOCS_ROWS = 100
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1c1f23; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
th, td { border: 1px solid #d0d5da; padding: .3rem .6rem; text-align: left; vertical-align: top; }
th { background: #f1f3f5; white-space: nowrap; }
.sticky { display: none; }
.table-responsive, .show-scrollbars { overflow-x: auto; overflow-wrap: anywhere; }
.ge-section { margin-top: 2rem; }
.fa-check-circle::before { content: "\\2713"; color: #1a7f37; font-style: normal; }
.fa-times::before, .fa-exclamation-triangle::before { content: "\\2717"; color: #c62828; font-style: normal; }
"""


def validate(manifest: DatasetManifest, config: ValidationConfig, rules: tuple[Rule, ...] = RULES) -> ValidationReport:
    """Check a data set against the rules.

    Args:
        manifest: the data set, also with rows that could not be read.
        config: whether rows with errors will be quarantined, which the report counts.
        rules: the rules to check.

    Returns:
        Every violation in the order of the rows, and the Data Docs.

    Raises:
        Florence2Error: Great Expectations could not evaluate a rule.
    """
    table = annotation_table(manifest)
    # Great Expectations names rows by their index, in its result and in the Data Docs.
    table.index = pd.Index(table["file"] + ":" + table["line"].astype("string"))
    result = _run_suite(table, rules)
    found = [
        violation
        for rule, outcome in zip(rules, _outcomes(result, rules), strict=True)
        for violation in _violations(rule, outcome, table)
    ]
    violations = tuple(violation for _, violation in sorted(found, key=itemgetter(0)))
    bad_rows = {(violation.file, violation.line) for violation in violations if violation.severity == "error"}
    return ValidationReport(
        rows_checked=len(table),
        rows_quarantined=len(bad_rows) if config.on_error == "quarantine" else 0,
        violations=violations,
        rules=tuple(rule.code for rule in rules),
        docs_html=_render_docs(result),
    )


def _run_suite(table: pd.DataFrame, rules: tuple[Rule, ...]) -> ExpectationSuiteValidationResult:
    # Read when the package is imported; without it a run reports usage to a server.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # It sets its own level when it is imported, and tells of every temporary folder.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("annotations").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": table})
    suite = gx.ExpectationSuite(name="annotation-rules", expectations=[_expectation(rule) for rule in rules])
    return batch.validate(suite, result_format="COMPLETE")


def _expectation(rule: Rule) -> Expectation:
    from great_expectations.expectations import (  # type: ignore[attr-defined]
        ExpectColumnValuesToBeBetween,
        ExpectColumnValuesToBeNull,
        ExpectColumnValuesToNotBeInSet,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    common: dict[str, Any] = {
        "column": rule.column,
        "severity": FailureSeverity.CRITICAL if rule.severity == "error" else FailureSeverity.WARNING,
        "meta": {"code": rule.code},
        # Shown in the Data Docs in place of "values must be null".
        "description": html.escape(f"{rule.code} ({rule.severity}): {rule.sentence} Remedy: {rule.remedy}."),
    }
    match rule.check:
        case IsNull():
            return ExpectColumnValuesToBeNull(**common)
        case NotIn(values):
            return ExpectColumnValuesToNotBeInSet(value_set=list(values), **common)
        case Between(minimum, maximum):
            return ExpectColumnValuesToBeBetween(min_value=minimum, max_value=maximum, **common)


def _outcomes(
    result: ExpectationSuiteValidationResult, rules: tuple[Rule, ...]
) -> Iterator[ExpectationValidationResult]:
    """Yield the outcome of each rule in the order of the rules, whatever the order they were run in."""
    outcomes = [(outcome.expectation_config, outcome) for outcome in result.results]
    by_code = {config.meta["code"]: outcome for config, outcome in outcomes if config and config.meta}
    for rule in rules:
        yield by_code[rule.code]


def _violations(
    rule: Rule, outcome: ExpectationValidationResult, table: pd.DataFrame
) -> Iterator[tuple[int, Violation]]:
    """Yield a violation for each row that breaks a rule, with the row's position in the table."""
    if outcome.success:
        return
    places = outcome.result.get("unexpected_index_list")
    if not places:
        # A rule that could not be evaluated must not look like one that found nothing.
        raise Florence2Error(
            f"rule {rule.code} on column {rule.column} could not be evaluated: {outcome.exception_info}; "
            "report this together with the version of great_expectations"
        )
    positions = table.index.get_indexer(pd.Index(places))
    rows = table.iloc[positions]
    values = rows[rule.shows].fillna("")
    details = rows[rule.detail] if rule.detail else [f"{rule.sentence.rstrip('.')}: {value!r}" for value in values]
    for position, file, line, value, text in zip(positions, rows["file"], rows["line"], values, details, strict=True):
        yield int(position), Violation(rule.code, rule.severity, file, int(line), value, text, rule.remedy)


def _render_docs(result: ExpectationSuiteValidationResult) -> str:
    """Render the Data Docs page of a result as one page that needs no network.

    Great Expectations writes values into the page as they are, so ``<loc_1000>`` would vanish and a class name could
    bring a script: they are escaped first. Its styles and scripts come from five hosts: ours replace them.
    """
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    for outcome in result.results:
        outcome.result = _escaped({**outcome.result, "unexpected_index_query": None})
    document = ValidationResultsPageRenderer().render(result)
    page = DefaultJinjaPageView().render(document)  # type: ignore[no-untyped-call]
    page = re.sub(r"<(script|style|nav|footer)\b.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?:link|img)\b[^>]*>", "", page)
    page = re.sub(r'\b(href|src)="(?!#)[^"]*"', "", page)
    return page.replace("</head>", f"<style>{_STYLE}</style>\n</head>", 1)


def _escaped(value: Any) -> Any:
    """Escape every text in a nested value for HTML and cut every list to what a page can show."""
    if isinstance(value, str):
        return html.escape(value)
    if isinstance(value, dict):
        return {key: _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value[:_DOCS_ROWS]]
    return value.item() if isinstance(value, np.generic) else value
