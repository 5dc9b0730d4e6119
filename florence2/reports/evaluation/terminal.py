"""Scores as a table on the terminal."""

from __future__ import annotations

from rich.table import Table

from florence2.evaluation import EvaluationReport, Interval, ModelEvaluation, comparison_table, in_order, score_named

__all__ = ["score_comparison_table", "score_table"]


def score_comparison_table(report: EvaluationReport) -> Table:
    """Return the scores of both models on the test split as a table to print.

    Headline scores have their intervals, where there are any, and the probability that the second model is better.
    """
    table = Table()
    table.add_column("test split")
    for model in (report.before.model, report.after.model):
        table.add_column(model, justify="right")
    if report.comparison:
        table.add_column("better", justify="right")
    for name, before, after in comparison_table(report):
        row = [_value(before, report.before.intervals.get(name)), _value(after, report.after.intervals.get(name))]
        if report.comparison:
            compared = report.comparison.get(name)
            row.append("" if compared is None else f"{compared.probability_better:.0%}")
        table.add_row(name, *row)
    return table


def score_table(evaluation: ModelEvaluation, split: str) -> Table:
    """Return the scores of one model, with what each means, as a table to print.

    Args:
        evaluation: of the model.
        split: the name of the split.
    """
    table = Table()
    table.add_column(f"{split} split")
    table.add_column(evaluation.model, justify="right")
    table.add_column("meaning")
    for name in in_order(evaluation.metrics):
        value = _value(evaluation.metrics[name], evaluation.intervals.get(name))
        table.add_row(name, value, score_named(name).meaning)
    validity = evaluation.analysis.validity if evaluation.analysis else None
    if validity is not None:
        table.add_section()
        table.add_row("answers", f"{validity.answers:,}", f"{evaluation.seconds:.1f} seconds")
        for title, count, meaning in (
            ("cut", validity.cut, "reached the length limit without an end"),
            ("malformed", validity.malformed, "a part of it is not a box"),
            ("empty", validity.empty, "no text where there was something to answer"),
            ("unknown classes", validity.unknown_names, "boxes whose class the split does not have"),
            ("without a score", validity.unscored, "boxes left out: a score or a coordinate is not a number"),
        ):
            if count:
                table.add_row(title, f"{count:,}", meaning)
    return table


def _value(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if interval is None else f"{value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
