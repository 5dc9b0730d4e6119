"""Great Expectations calls a rule with its view and shows its findings."""

from __future__ import annotations

import copy
from typing import Any

import great_expectations as gx
import pytest

from florence2.adapters.rule_expectation import ExpectRuleToHold, RuleBatch, expectation_of
from florence2.config import ValidationConfig
from florence2.datasets.checks.definition import Finding, Rule, rule
from florence2.datasets.checks.views import make_views
from florence2.datasets.checks.views.rows import Row, RowsView
from tests.builders import manifest


@rule(RowsView, "warning", remedy="write <b>it</b> down", example="a line")
def line_third(view: RowsView) -> Finding[Row]:
    """It is the third line."""
    return Finding(view.table["line"] == 3, lambda row: f"<i>{row['image']}</i> is third")


def batch_of(*rules: Rule) -> RuleBatch:
    return RuleBatch(make_views(manifest({}, {}, {}, {}), ValidationConfig()).rows, list(rules))


def validate(batch: RuleBatch, rule: Rule) -> Any:
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    definition = asset.add_batch_definition_whole_dataframe("all")
    return definition.get_batch(batch_parameters={"dataframe": batch.table}).validate(
        expectation_of(rule), result_format="COMPLETE"
    )


@pytest.fixture(scope="module")
def result() -> Any:
    return validate(batch_of(line_third), line_third)


def test_great_expectations_reports_what_the_rule_flags(result: Any) -> None:
    assert not result.success
    assert result.result == {
        "element_count": 4,
        "unexpected_count": 1,
        "unexpected_percent": 25.0,
        "unexpected_index_list": [2],
        "partial_unexpected_index_list": ["train/annotations.jsonl:3"],
        "partial_unexpected_list": ["<i>train/3.png</i> is third"],
    }
    assert result.expectation_config.kwargs["rule"] == "line-third"
    assert result.expectation_config.severity == "warning"


def test_the_batch_keeps_the_finding() -> None:
    batch = batch_of(line_third)
    validate(batch, line_third)
    assert batch.findings["line-third"].positions.tolist() == [2]


def test_texts_of_the_rule_and_of_the_data_are_escaped(result: Any) -> None:
    assert expectation_of(line_third).description == (
        "line-third (warning): It is the third line. Remedy: write &lt;b&gt;it&lt;/b&gt; down."
    )
    tables: Any = ExpectRuleToHold._diagnostic_unexpected_table_renderer(result=result)
    assert [table.table for table in tables] == [
        [["train/annotations.jsonl:3", "&lt;i&gt;train/3.png&lt;/i&gt; is third"]]
    ]


def test_a_copy_of_the_table_refers_to_the_same_batch() -> None:
    batch = batch_of(line_third)
    assert copy.deepcopy(batch) is batch
    assert batch.table.head(1).attrs["RuleBatch"] is batch
    assert len(batch.table) == 4
