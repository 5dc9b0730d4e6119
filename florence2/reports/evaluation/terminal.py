"""Scores as a table on the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from florence2.evaluation import (
    EvaluationReport,
    Interval,
    ModelEvaluation,
    ScoreChange,
    in_order,
    list_score_changes,
    score_named,
)
from florence2.reports.evaluation.verdict import verdict_on

__all__ = ["score_comparison_table", "score_table", "verdict_lines"]

_STYLES = {"good": "bold green", "bad": "bold red", "soft": ""}


def verdict_lines(evaluation: ModelEvaluation, advice: str = "") -> list[Text]:
    """Return what stands above a table of scores: what the model is worth, and what to try next.

    Args:
        evaluation: of the model.
        advice: what to try next; empty where there is nothing to say.
    """
    verdict = verdict_on(evaluation)
    lines = [] if verdict is None else [Text(verdict.text, _STYLES[verdict.tone])]
    return [*lines, Text(advice)] if advice else lines


def score_comparison_table(report: EvaluationReport) -> Table:
    """Return the scores of both models on the test split as a table to print.

    Headline scores have their intervals, where there are any, and the probability that the second model is better.
    Next to them is the baseline, and how far the second model is from it: green where it is better beyond chance, else
    red.
    """
    changes = list_score_changes(report.before, report.after, report.comparison)
    table = Table()
    table.add_column("test split")
    for model in (report.before.model, report.after.model):
        table.add_column(model, justify="right")
    if report.comparison:
        table.add_column("better", justify="right")
    if report.after.baseline:
        _add_baseline_columns(table)
    for change in changes:
        headline = change.score.headline
        row: list[str | Text] = [_value(change.before, change.before_interval if headline else None)]
        row.append(_value(change.after, change.after_interval if headline else None))
        if report.comparison:
            row.append("" if change.comparison is None else f"{change.comparison.probability_better:.0%}")
        if report.after.baseline:
            row += _baseline_cells(change)
        table.add_row(change.score.name, *row)
    return table


def _add_baseline_columns(table: Table) -> None:
    table.add_column("without the image", justify="right")
    table.add_column("difference from it", justify="right")


def _baseline_cells(change: ScoreChange) -> list[str | Text]:
    compared = change.over_baseline
    if compared is None:
        return [_value(change.baseline, None), ""]
    text = f"{compared.difference:+.3f}"
    if change.score.headline:
        text += f" ({compared.interval.low:+.3f} to {compared.interval.high:+.3f})"
    return [_value(change.baseline, None), Text(text, "green" if change.beats_baseline else "red")]


def score_table(evaluation: ModelEvaluation, split: str) -> Table:
    """Return the scores of one model, with what each means, as a table to print.

    Args:
        evaluation: of the model.
        split: the name of the split.
    """
    table = Table()
    table.add_column(f"{split} split")
    table.add_column(evaluation.model, justify="right")
    if evaluation.baseline:
        _add_baseline_columns(table)
    table.add_column("meaning")
    changes = {change.score.name: change for change in list_score_changes(None, evaluation, {})}
    for name in in_order(evaluation.metrics):
        value = _value(evaluation.metrics[name], evaluation.intervals.get(name))
        cells = _baseline_cells(changes[name]) if evaluation.baseline else []
        table.add_row(name, value, *cells, score_named(name).meaning)
    blank = ("", "") if evaluation.baseline else ()
    validity = evaluation.analysis.validity if evaluation.analysis else None
    if validity is not None:
        table.add_section()
        table.add_row("answers", f"{validity.answers:,}", *blank, f"{evaluation.seconds:.1f} seconds")
        for title, count, meaning in (
            ("cut", validity.cut, "reached the length limit without an end"),
            ("malformed", validity.malformed, "a part of it is not a box, or what should be JSON is not"),
            ("empty", validity.empty, "no text where there was something to answer"),
            ("unknown classes", validity.unknown_names, "boxes whose class the split does not have"),
            ("unseen classes", validity.unseen, "boxes whose class the training of the model never saw"),
            ("without a score", validity.unscored, "boxes left out: a score or a coordinate is not a number"),
        ):
            if count:
                table.add_row(title, f"{count:,}", *blank, meaning)
    return table


def _value(value: float | None, interval: Interval | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if interval is None else f"{value:.3f} ({interval.low:.3f} to {interval.high:.3f})"
