"""Great Expectations checks the rules and renders its Data Docs; the only file that imports it.

Each rule of ``florence2.datasets.checks.rules`` becomes an expectation on a column of a view. The import takes seconds
and happens when a data set is validated.
"""

from __future__ import annotations

import functools
import html
import logging
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from florence2.config import ValidationConfig
from florence2.datasets import (
    RULES,
    DatasetManifest,
    Evaluation,
    IsNull,
    NotIn,
    Positions,
    Rule,
    RuleBounds,
    ValidationReport,
    View,
    Violation,
    check_manifest,
)
from florence2.errors import Florence2Error

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext
    from great_expectations.expectations.expectation import Expectation

__all__ = ["validate"]

_DOCS_ROWS = 100
_SEVERITIES = {"error": "CRITICAL", "warning": "WARNING", "note": "INFO"}
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


def validate(
    manifest: DatasetManifest,
    config: ValidationConfig,
    *,
    count_tokens: Callable[[list[str]], Iterable[int]] | None = None,
    max_target_tokens: int | None = None,
    rules: Sequence[Rule] = RULES,
) -> tuple[DatasetManifest, ValidationReport]:
    """Check a data set against the rules; mend, leave out or report what breaks them, as the settings say.

    Args:
        manifest: the data set, also with rows that could not be read.
        config: the outcome of each rule, and bounds.
        count_tokens: returns the length of each answer in tokens of the model, begin and end included; without it
            the length of answers is not checked.
        max_target_tokens: longest answer in tokens.
        rules: the rules to check.

    Returns:
        The manifest to go on with, and the report: every violation and the Data Docs. Errors that are to stop the run
        are in the report; ``raise_for_errors`` raises them.

    Raises:
        ConfigurationError: a rule that the settings name is unknown or cannot have that outcome.
        Florence2Error: Great Expectations could not evaluate a rule.
    """
    settings = RuleBounds(
        tiny_box=config.tiny_box,
        near_iou=config.near_iou,
        rare_class=config.rare_class,
        typo_ratio=config.typo_ratio,
        max_target_tokens=max_target_tokens,
        count_tokens=count_tokens,
    )
    if count_tokens is None or max_target_tokens is None:
        rules = [rule for rule in rules if rule.code != "answer-too-long"]
    return check_manifest(manifest, config, rules, settings, _evaluate)


def _evaluate(views: Sequence[View], rules: Sequence[Rule]) -> Evaluation:
    """Validate a suite for each view."""
    context = _quiet_context()
    outcomes: dict[str, ExpectationValidationResult] = {}
    results = []
    for view in views:
        of_view = [rule for rule in rules if rule.view == view.name]
        if of_view:
            results.append(_run_suite(context, view, of_view))
            # Whatever the order in which they were run.
            for outcome in results[-1].results:
                config = outcome.expectation_config
                outcomes[(config.meta or {})["code"] if config else ""] = outcome
    broken = {rule.code: _positions(rule, outcomes[rule.code]) for rule in rules}
    return Evaluation(broken, functools.partial(_render_docs, results))


def _quiet_context() -> AbstractDataContext:
    # Read when the package is imported; without it a run reports usage to a server.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        # Google's client, of which it imports a part, announces when it will no longer support this Python.
        warnings.simplefilter("ignore", FutureWarning)
        import great_expectations as gx
        from great_expectations.data_context.types.base import ProgressBarsConfig

    # It sets its own level when it is imported, and tells of every temporary folder.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _run_suite(context: AbstractDataContext, view: View, rules: Sequence[Rule]) -> ExpectationSuiteValidationResult:
    import great_expectations as gx

    asset = context.data_sources.add_pandas(view.name).add_dataframe_asset(view.name)
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": view.table})
    suite = gx.ExpectationSuite(name=view.name, expectations=[_expectation(rule) for rule in rules])
    return batch.validate(suite, result_format={"result_format": "COMPLETE", "return_unexpected_index_query": False})


def _expectation(rule: Rule) -> Expectation:
    from great_expectations.expectations import (  # type: ignore[attr-defined]
        ExpectColumnValuesToBeNull,
        ExpectColumnValuesToNotBeInSet,
    )
    from great_expectations.expectations.metadata_types import FailureSeverity

    common: dict[str, Any] = {
        "column": rule.column,
        "severity": FailureSeverity[_SEVERITIES[rule.severity]],
        "meta": {"code": rule.code},
        # Shown in the Data Docs in place of "values must be null".
        "description": html.escape(f"{rule.code} ({rule.severity}): {rule.sentence} Remedy: {rule.remedy}."),
    }
    match rule.check:
        case IsNull():
            return ExpectColumnValuesToBeNull(**common)
        case NotIn(values):
            return ExpectColumnValuesToNotBeInSet(value_set=list(values), **common)


def _positions(rule: Rule, outcome: ExpectationValidationResult) -> Positions:
    """Return the positions in the view that break a rule, ascending."""
    if outcome.success:
        return np.zeros(0, dtype=np.int64)
    places = outcome.result.get("unexpected_index_list")
    if not places:
        # A rule that could not be evaluated must not look like one that found nothing.
        raise Florence2Error(
            f"rule {rule.code} on column {rule.column} could not be evaluated: {outcome.exception_info}; "
            "report this together with the version of great_expectations"
        )
    return np.sort(np.array(places, dtype=np.int64))


def _render_docs(
    results: Sequence[ExpectationSuiteValidationResult], violations: Mapping[str, Sequence[Violation]]
) -> str:
    """Render the Data Docs page of all suites as one page that needs no network.

    Great Expectations shows the cells that break a rule, which are flags and numbers: the sentences about them take
    their place. It writes texts into the page as they are, so ``<loc_1000>`` would vanish and a class name could bring
    a script: they are escaped first. Its styles and scripts come from five hosts: ours replace them.
    """
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    outcomes = [outcome for result in results for outcome in result.results]
    for outcome in outcomes:
        code = outcome.expectation_config.meta["code"] if outcome.expectation_config else ""
        outcome.result = _for_readers(outcome.result, violations.get(code, ())[:_DOCS_ROWS])
    met = sum(bool(outcome.success) for outcome in outcomes)
    scores = {
        "evaluated_expectations": len(outcomes),
        "successful_expectations": met,
        "unsuccessful_expectations": len(outcomes) - met,
        "success_percent": 100 * met / len(outcomes) if outcomes else None,
    }
    whole = ExpectationSuiteValidationResult(
        success=met == len(outcomes),
        results=outcomes,
        suite_name="annotation rules",
        statistics=scores,
        meta=results[0].meta if results else {},
    )
    page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(whole))  # type: ignore[no-untyped-call]
    page = re.sub(r"<(script|style|nav|footer)\b.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?:link|img)\b[^>]*>", "", page)
    page = re.sub(r'\b(href|src)="(?!#)[^"]*"', "", page)
    return page.replace("</head>", f"<style>{_STYLE}</style>\n</head>", 1)


def _for_readers(result: Mapping[str, Any], violations: Sequence[Violation]) -> dict[str, Any]:
    """Return the scores of a result, with sentences and places instead of cells and positions."""
    sentences = [html.escape(f"{violation.place}: {violation.message}") for violation in violations]
    places = [html.escape(violation.place) for violation in violations]
    scores = {name: value for name, value in result.items() if isinstance(value, int | float | np.number)}
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in scores.items()}
    return plain | {
        "unexpected_list": sentences,
        "partial_unexpected_list": sentences,
        "unexpected_index_list": places,
        "partial_unexpected_index_list": places,
        "partial_unexpected_counts": [{"value": sentence, "count": 1} for sentence in sentences],
    }
