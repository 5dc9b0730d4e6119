"""Rows of the page's tables that have a value for each model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from florence2.evaluation import BoxGroup, ModelEvaluation, QuestionGroup

__all__ = ["BoxRow", "CountRow", "QuestionRow", "box_rows", "count_rows", "question_rows", "speed_rows"]


@dataclass(frozen=True)
class CountRow:
    """A count of each model, as text, and its share of the total (0..1); None where a share has no meaning."""

    title: str
    meaning: str
    values: list[str]
    shares: list[float | None]


@dataclass(frozen=True)
class BoxRow:
    """A group of boxes: recall and precision of each model."""

    name: str
    images: int
    truths: int
    recall: list[float | None]
    precision: list[float | None]


@dataclass(frozen=True)
class QuestionRow:
    """A group of questions: the score of each model."""

    name: str
    questions: int
    values: list[float | None]


def count_rows(models: Sequence[ModelEvaluation]) -> list[CountRow]:
    """Return the number of faulty answers of each model, by fault."""
    found = [model.analysis.validity for model in models if model.analysis]
    if not found:
        return []
    answers = [each.answers for each in found]
    boxes = [each.boxes for each in found]
    rows = [
        _row("Invalid answers", "cut or malformed", [each.invalid for each in found], answers),
        _row("Cut", "reached the length limit without an end", [each.cut for each in found], answers),
        _row(
            "Malformed",
            "a part is not a box, a box has no name, or what should be JSON is not",
            [each.malformed for each in found],
            answers,
        ),
        _row("Empty", "no text where there was something to answer", [each.empty for each in found], answers),
    ]
    if any(boxes):
        names = "their class is not in the truth of the split"
        rows.append(_row("Boxes of unknown classes", names, [each.unknown_names for each in found], boxes))
        if any(each.unseen for each in found):
            unseen = "the training of the model never saw their class"
            rows.append(_row("Boxes of unseen classes", unseen, [each.unseen for each in found], boxes))
        scores = "left out: a score or a coordinate is not a number"
        rows.append(_row("Boxes without a score", scores, [each.unscored for each in found], boxes))
    return rows


def speed_rows(models: Sequence[ModelEvaluation]) -> list[CountRow]:
    """Return the speed of each model, with the decoding of images."""
    blank: list[float | None] = [None] * len(models)
    rows = [CountRow("Time", "for all answers", [f"{model.seconds:,.1f} s" for model in models], blank)]
    for title, key in (("Images per second", "images"), ("Answers per second", "annotations")):
        if all(model.seconds > 0 and key in model.counts for model in models):
            rates = [f"{model.counts[key] / model.seconds:,.1f}" for model in models]
            rows.append(CountRow(title, "", rates, blank))
    return rows


def box_rows(groups: Sequence[Sequence[BoxGroup]]) -> list[BoxRow]:
    """Put the groups of each model side by side.

    Args:
        groups: of each model.
    """

    def row(name: str, each: list[BoxGroup | None]) -> BoxRow:
        known = next(group for group in each if group)
        recall = [group.recall if group else None for group in each]
        precision = [group.precision if group else None for group in each]
        return BoxRow(name, known.images, known.truths, recall, precision)

    return _side_by_side(groups, row)


def question_rows(groups: Sequence[Sequence[QuestionGroup]]) -> list[QuestionRow]:
    """Put the groups of each model side by side.

    Args:
        groups: of each model.
    """

    def row(name: str, each: list[QuestionGroup | None]) -> QuestionRow:
        known = next(group for group in each if group)
        return QuestionRow(name, known.questions, [group.value if group else None for group in each])

    return _side_by_side(groups, row)


def _side_by_side(groups: Sequence[Sequence[Any]], row: Callable[[str, list[Any]], Any]) -> list[Any]:
    by_name = [{group.name: group for group in each} for each in groups]
    names = dict.fromkeys(group.name for each in reversed(groups) for group in each)
    return [row(name, [each.get(name) for each in by_name]) for name in names]


def _row(title: str, meaning: str, counts: list[int], totals: list[int]) -> CountRow:
    shares = [count / total if total else None for count, total in zip(counts, totals, strict=True)]
    return CountRow(title, meaning, [f"{count:,}" for count in counts], shares)
