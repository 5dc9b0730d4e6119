"""Rows that have a value for each model."""

from __future__ import annotations

from dataclasses import replace

from florence2.evaluation.analysis.breakdown import BoxGroup
from florence2.evaluation.analysis.questions import QuestionGroup
from florence2.evaluation.report import ModelEvaluation
from florence2.reports.evaluation.tables import box_rows, count_rows, question_rows, speed_rows
from tests.reports import AFTER, BEFORE


def test_a_group_that_one_model_lacks_has_no_value_there() -> None:
    small, large = BoxGroup("small", 2, 4, 3, 6, 3), BoxGroup("large", 1, 2, 1, 1, 1)
    rows = box_rows([[small], [small, large]])
    assert [(row.name, row.recall) for row in rows] == [("small", [0.75, 0.75]), ("large", [None, 0.5])]
    assert rows[0].precision == [0.5, 0.5]
    questions = question_rows([[QuestionGroup("how many", 2, 0.5)], []])
    assert [(row.questions, row.values) for row in questions] == [(2, [0.5, None])]


def test_faults_of_boxes_are_counted_only_where_there_are_boxes() -> None:
    assert [row.title for row in count_rows([BEFORE, AFTER])][-1] == "Boxes without a score"
    assert count_rows([ModelEvaluation("m")]) == []


def test_the_speed_needs_a_time_and_a_count() -> None:
    assert [(row.title, row.values) for row in speed_rows([AFTER])] == [
        ("Time", ["2.0 s"]),
        ("Images per second", ["2.0"]),
        ("Answers per second", ["2.0"]),
    ]
    assert [row.title for row in speed_rows([replace(AFTER, seconds=0.0)])] == ["Time"]
