"""Scores of answers in words by any model: reference answers and predictions as JSON Lines.

{"id": 1, "answers": ["two", "2"]}      the references
{"id": 1, "prediction": "2"}            the predictions, in any order
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from florence2.datasets import BadValueError, checked_text, excerpt
from florence2.errors import AnswerError
from florence2.evaluation.metrics.registry import SCORED_TASKS
from florence2.evaluation.scoring.files import FileProblems, id_of, walk_lines

__all__ = ["AnswerScores", "score_answers"]

_Value = TypeVar("_Value")


@dataclass(frozen=True)
class AnswerScores:
    """The scores of predictions.

    Attributes:
        metric: name of the metric that gives the values of the rows.
        scores: of all metrics of the task, over all rows.
        values: the value of each row by its id, in the order of the references; None where a row defines none.
        missing: rows without a prediction, evaluated as empty answers.
    """

    metric: str
    scores: dict[str, float]
    values: dict[Hashable, float | None]
    missing: int

    @property
    def mean(self) -> float | None:
        """The mean of the values. For an error rate it differs from the score: there long texts weigh more."""
        defined = [value for value in self.values.values() if value is not None]
        return math.fsum(defined) / len(defined) if defined else None


def score_answers(task: str, references: Path, predictions: Path, *, missing_as_empty: bool = False) -> AnswerScores:
    """Score predictions.

    Args:
        task: a key of ``SCORED_TASKS``.
        references: JSON Lines of ``id`` and ``answers``, one or several texts.
        predictions: JSON Lines of ``id`` and ``prediction``, a text.
        missing_as_empty: whether a reference without a prediction counts as an empty answer instead of being an error.

    Raises:
        DatasetError: a file cannot be read or scored; the message lists all problems.
    """
    problems = FileProblems()
    expected = _rows(references, _answers, problems)
    given = _rows(predictions, _prediction, problems)
    if expected and given:
        remedy = "add it, or let it count as an empty answer with --missing empty"
        for own in () if missing_as_empty else expected.keys() - given.keys():
            problems.add(references, expected[own][1], f"id {excerpt(own)} is not in {predictions}; {remedy}")
        for own in given.keys() - expected.keys():
            problems.add(predictions, given[own][1], f"id {excerpt(own)} is not among the references")
    metrics = [kind() for kind in SCORED_TASKS[task]]
    for own, (answers, _) in expected.items():
        prediction, line = given.get(own, ("", 0))
        try:
            for metric in metrics:
                metric.update(prediction, answers)
        except AnswerError as exc:
            problems.add(predictions, line, str(exc))
    problems.raise_for_any()
    values = [None if math.isnan(value) else value for value in metrics[0].values()]
    return AnswerScores(
        metric=metrics[0].name,
        scores={name: value for metric in metrics for name, value in metric.compute().items()},
        values=dict(zip(expected, values, strict=True)),
        missing=len(expected.keys() - given.keys()),
    )


def _rows(
    file: Path, read: Callable[[Mapping[str, Any]], _Value], problems: FileProblems
) -> dict[Hashable, tuple[_Value, int]]:
    """Return what is read from each row, and its line, by id."""
    rows: dict[Hashable, tuple[_Value, int]] = {}
    for line, part in walk_lines(file, problems):
        try:
            own = id_of(part, "id")
            if own in rows:
                raise BadValueError(f"id {excerpt(own)} was used in line {rows[own][1]} already")
            rows[own] = read(part), line
        except BadValueError as exc:
            problems.add(file, line, str(exc))
    return rows


def _answers(part: Mapping[str, Any]) -> tuple[str, ...]:
    if "answers" not in part:
        raise BadValueError("no 'answers'")
    answers = part["answers"]
    if not isinstance(answers, list) or not answers:
        raise BadValueError(f"answers is {excerpt(answers)}, not a list of texts")
    return tuple(checked_text(answer, "an answer") for answer in answers)


def _prediction(part: Mapping[str, Any]) -> str:
    if "prediction" not in part:
        raise BadValueError("no 'prediction'")
    return checked_text(part["prediction"], "prediction")
