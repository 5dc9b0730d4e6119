"""Scores as tables on the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from florence2.evaluation.analysis.analyse import Analysis
from florence2.evaluation.analysis.validity import Validity
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.report import EvaluationReport, ModelEvaluation
from florence2.reports.evaluation.terminal import score_comparison_table, score_table, verdict_lines

BEFORE, AFTER = ModelEvaluation("base", {"map50": 0.02}), ModelEvaluation("tuned", {"map50": 0.71})


def printed(table: Any) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def test_the_table_of_two_models_shows_intervals_and_how_sure_the_difference_is() -> None:
    after = ModelEvaluation("tuned", {"map50": 0.71}, intervals={"map50": Interval(0.6, 0.8)})
    text = printed(
        score_comparison_table(EvaluationReport(BEFORE, after, {"map50": Comparison(0.69, Interval(0.5, 0.8), 0.97)}))
    )
    for shown in ("0.020", "0.710 (0.600 to 0.800)", "97%"):
        assert shown in text
    assert "better" not in printed(score_comparison_table(EvaluationReport(BEFORE, AFTER)))


GUESSED = BaselineScores({"vqa_accuracy": 0.295}, {"vqa_accuracy": Comparison(0.009, Interval(-0.02, 0.04), 0.7)})
RADIOLOGY = ModelEvaluation("tuned", {"vqa_accuracy": 0.304}, baseline=GUESSED)


def test_a_model_that_is_no_better_than_always_no_is_a_failure_though_it_is_better_than_the_base() -> None:
    base = ModelEvaluation("base", {"vqa_accuracy": 0.014})
    report = EvaluationReport(base, RADIOLOGY, {"vqa_accuracy": Comparison(0.29, Interval(0.25, 0.33), 1.0)})
    (first, second) = verdict_lines(RADIOLOGY, "Try more epochs.")
    assert first.plain.startswith("This model is worth nothing: answers without seeing the image score as well")
    assert first.style == "bold red"
    assert second.plain == "Try more epochs."
    table = score_comparison_table(report)
    assert "+0.009 (-0.020 to +0.040)" in printed(table)
    assert [getattr(cell, "style", "") for column in table.columns for cell in column.cells] == [*[""] * 5, "red"]


def test_the_table_of_one_model_shows_the_baseline() -> None:
    text = printed(score_table(RADIOLOGY, "test"))
    for shown in ("without the image", "0.295", "+0.009 (-0.020 to +0.040)"):
        assert shown in text
    assert verdict_lines(ModelEvaluation("m", {"map50": 0.5})) == []


def test_the_table_of_one_model_shows__its_faults_and_no_others() -> None:
    validity = Validity(40, 3, 3, 0, 0, 9, 0, 0, 0)
    evaluation = ModelEvaluation("m", {"map50": 0.5}, intervals={"map50": Interval(0, 1)}, analysis=Analysis(validity))
    text = printed(score_table(evaluation, "valid"))
    for shown in ("valid split", "0.500 (0.000 to 1.000)", "right class", "reached the length limit"):
        assert shown in text
    assert "malformed" not in text
