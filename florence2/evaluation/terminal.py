"""A report as a table on the terminal."""

from __future__ import annotations

from rich.table import Table

from florence2.evaluation.report import EvaluationReport, comparison_table

__all__ = ["comparison"]


def comparison(report: EvaluationReport) -> Table:
    """Return the figures of both models on the test split as a table to print."""
    table = Table()
    table.add_column("test split")
    table.add_column(report.before.model, justify="right")
    table.add_column(report.after.model, justify="right")
    for name, before, after in comparison_table(report):
        table.add_row(name, *("-" if value is None else f"{value:.3f}" for value in (before, after)))
    return table
