"""Great Expectations checks the rules and renders its Data Docs; only this file and rule_expectation.py import it.

Each rule of ``florence2.datasets`` is called by an expectation of ``florence2.adapters.rule_expectation``. The import
takes seconds and happens when a data set is validated.
"""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from florence2.adapters.quick_import import import_great_expectations
from florence2.config import ValidationConfig
from florence2.datasets import (
    AnswerLimit,
    DatasetManifest,
    Finding,
    Rule,
    RuleResults,
    ValidationReport,
    View,
    check_manifest,
    known_rules,
)
from florence2.errors import Florence2Error

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context.data_context.abstract_data_context import AbstractDataContext

__all__ = ["validate"]

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
    rules: Sequence[Rule] | None = None,
) -> tuple[DatasetManifest, ValidationReport]:
    """Check a data set against the rules; repair, leave out or report what breaks them, as the configuration says.

    Args:
        manifest: the data set, also with rows that could not be read.
        config: the outcome of each rule, and bounds.
        count_tokens: returns the length of each answer in tokens of the model, begin and end included; without it
            the length of answers is not checked.
        max_target_tokens: longest answer in tokens.
        rules: the rules to check; all that are known if none are given.

    Returns:
        The manifest without quarantined rows, and the report with the violations and the Data Docs. Errors that are to
        stop the run are in the report; ``raise_for_errors`` raises them.

    Raises:
        ConfigurationError: a rule that the configuration names is unknown or cannot have that outcome.
        Florence2Error: a rule could not be checked.
    """
    limit = None
    if count_tokens is not None and max_target_tokens is not None:
        limit = AnswerLimit(max_target_tokens, count_tokens)
    return check_manifest(manifest, config, known_rules() if rules is None else rules, limit, _run_rules)


def _run_rules(views: Sequence[View[Any]], rules: Sequence[Rule]) -> RuleResults:
    """Validate a suite for each view."""
    context = _quiet_context()
    findings: dict[str, Finding[Any]] = {}
    results = []
    for view in views:
        of_view = [rule for rule in rules if rule.view is type(view)]
        if of_view:
            result, found = _run_suite(context, view, of_view)
            results.append(result)
            findings |= found
    return RuleResults(findings, functools.partial(_render_docs, results))


def _quiet_context() -> AbstractDataContext:
    import_great_expectations()
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    # It sets its own level when it is imported, and logs every temporary folder.
    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _run_suite(
    context: AbstractDataContext, view: View[Any], rules: list[Rule]
) -> tuple[ExpectationSuiteValidationResult, dict[str, Finding[Any]]]:
    """Check the rules about one view, and return what Great Expectations says of it and the finding of each rule."""
    import great_expectations as gx

    from florence2.adapters.rule_expectation import RuleBatch, expectation_of

    batch = RuleBatch(view, rules)
    asset = context.data_sources.add_pandas(view.name).add_dataframe_asset(view.name)
    definition = asset.add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name=view.name, expectations=[expectation_of(rule) for rule in rules])
    result = definition.get_batch(batch_parameters={"dataframe": batch.table}).validate(suite, result_format="COMPLETE")
    _raise_for_exceptions(result, batch.rules)
    return result, batch.findings


def _raise_for_exceptions(result: ExpectationSuiteValidationResult, rules: dict[str, Rule]) -> None:
    """Raise what a rule raised: Great Expectations notes it, and the rule would look like one that found nothing."""
    for outcome in result.results:
        code = outcome.expectation_config.kwargs["rule"] if outcome.expectation_config else ""
        raised = outcome.exception_info or {}
        if raised.get("raised_exception"):
            raise Florence2Error(
                f"rule {code} of {rules[code].find.__module__} could not be checked: {raised['exception_message']}; "
                "report this to the authors of the rule"
            )


def _render_docs(results: Sequence[ExpectationSuiteValidationResult]) -> str:
    """Render the Data Docs page of all suites as one page that needs no network.

    The styles and scripts of Great Expectations come from five hosts: ours replace them.
    """
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.render.renderer.page_renderer import ValidationResultsPageRenderer
    from great_expectations.render.view.view import DefaultJinjaPageView

    outcomes = [outcome for result in results for outcome in result.results]
    met = sum(bool(outcome.success) for outcome in outcomes)
    scores = {
        "evaluated_expectations": len(outcomes),
        "successful_expectations": met,
        "unsuccessful_expectations": len(outcomes) - met,
        "success_percent": 100 * met / len(outcomes) if outcomes else None,
    }
    all_suites = ExpectationSuiteValidationResult(
        success=met == len(outcomes),
        results=outcomes,
        suite_name="annotation rules",
        statistics=scores,
        meta=results[0].meta if results else {},
    )
    renderer = ValidationResultsPageRenderer()
    page = DefaultJinjaPageView().render(renderer.render(all_suites))  # type: ignore[no-untyped-call]
    page = re.sub(r"<(script|style|nav|footer)\b.*?</\1>", "", page, flags=re.DOTALL)
    page = re.sub(r"<(?:link|img)\b[^>]*>", "", page)
    page = re.sub(r'\b(href|src)="(?!#)[^"]*"', "", page)
    return page.replace("</head>", f"<style>{_STYLE}</style>\n</head>", 1)
