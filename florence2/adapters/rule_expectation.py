"""The one expectation of Great Expectations by which every rule is checked: it calls the rule.

This module imports Great Expectations, which takes seconds: import it where a data set is validated.
"""

from __future__ import annotations

import html
from typing import Any

import pandas as pd
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metadata_types import FailureSeverity
from great_expectations.render.components import (
    CollapseContent,
    LegacyDiagnosticRendererType,
    RenderedTableContent,
)
from great_expectations.render.renderer.renderer import renderer

from florence2.datasets import Finding, Rule, View
from florence2.printable import printable

__all__ = ["ExpectRuleToHold", "RuleBatch", "expectation_of"]

_LISTED = 100
"""Items that the page lists for each rule."""

_SEVERITIES = {
    "error": FailureSeverity.CRITICAL,
    "warning": FailureSeverity.WARNING,
    "note": FailureSeverity.INFO,
}


class RuleBatch:
    """A view as a batch of data: its table refers to the view, so that a rule can be called with it.

    Attributes:
        view: the view.
        rules: the rules that look at it, by their codes.
        findings: what breaks each of them, by its code, once it has been checked.
    """

    def __init__(self, view: View[Any], rules: list[Rule]) -> None:
        self.view = view
        self.rules = {rule.code: rule for rule in rules}
        self.findings: dict[str, Finding[Any]] = {}

    @property
    def table(self) -> pd.DataFrame:
        """A row for each item, without columns: Great Expectations would hash them, and the rules read the view."""
        table = pd.DataFrame(index=self.view.table.index)
        table.attrs = {RuleBatch.__name__: self}
        return table

    def __deepcopy__(self, memo: Any) -> RuleBatch:
        # pandas copies the attributes of a table with each table that is made of it.
        return self


class ExpectRuleToHold(BatchExpectation):
    """Expect that nothing breaks a rule in the view that is the batch.

    Attributes:
        rule: code of the rule.
        column: title of the view: the page has a section for each.
    """

    rule: str
    column: str

    def _validate(
        self,
        metrics: dict[str, Any],  # noqa: ARG002
        runtime_configuration: Any = None,  # noqa: ARG002
        execution_engine: Any = None,
    ) -> dict[str, Any]:
        """Call the rule."""
        batch = execution_engine.get_domain_records({"batch_id": self.batch_id}).attrs[RuleBatch.__name__]
        finding = batch.findings[self.rule] = batch.rules[self.rule].check(batch.view)
        items = batch.view.items(finding.positions[:_LISTED])
        broken = len(finding.positions)
        return {
            "success": not broken,
            "result": {
                "element_count": finding.checked,
                "unexpected_count": broken,
                "unexpected_percent": 100 * broken / finding.checked if finding.checked else 0.0,
                "unexpected_index_list": finding.positions.tolist(),
                "partial_unexpected_index_list": [
                    f"{item.file}:{item.line}" if item.line else item.file for item in items
                ],
                "partial_unexpected_list": [finding.message(item) for item in items],
            },
        }

    @classmethod
    @renderer(renderer_type=LegacyDiagnosticRendererType.UNEXPECTED_TABLE)
    def _diagnostic_unexpected_table_renderer(
        cls,
        configuration: Any = None,  # noqa: ARG003
        result: Any = None,
        runtime_configuration: Any = None,  # noqa: ARG003
    ) -> list[RenderedTableContent | CollapseContent] | None:
        """List where the rule is broken and how; texts are escaped, since the page shows them as they are."""
        found = result.result if result is not None else {}
        rows = zip(
            found.get("partial_unexpected_index_list", ()), found.get("partial_unexpected_list", ()), strict=True
        )
        table = [[html.escape(printable(cell)) for cell in row] for row in rows]
        return [RenderedTableContent(table=table, header_row=["Location", "Finding"])] if table else None


def expectation_of(rule: Rule) -> ExpectRuleToHold:
    """Return the expectation that calls a rule."""
    return ExpectRuleToHold(
        rule=rule.code,
        column=rule.view.title,
        severity=_SEVERITIES[rule.severity],
        # Shown in the Data Docs in place of the name of the class.
        description=html.escape(f"{rule.code} ({rule.severity}): {rule.sentence} Remedy: {rule.remedy}."),
    )
