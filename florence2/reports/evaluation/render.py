"""Turns scores, analysis and examples into the page; they are laid out in the templates of this folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image

from florence2.evaluation import (
    Analysis,
    Comparison,
    Confusion,
    Example,
    ExampleAnswer,
    ModelEvaluation,
    SelectedExamples,
    list_class_changes,
    list_field_changes,
    list_score_changes,
    score_named,
)
from florence2.reports.evaluation.charts import FRAME, Frame, curve_points, reliability_bars
from florence2.reports.evaluation.images import embed, has_locations, panels
from florence2.reports.evaluation.summary import in_short
from florence2.reports.evaluation.tables import box_rows, count_rows, question_rows, speed_rows
from florence2.reports.evaluation.verdict import verdict_on
from florence2.reports.templates import render_template

__all__ = ["render_evaluation"]

_SMALL_FRAME = Frame(left=1, top=1, width=118, height=78)


@dataclass(frozen=True)
class _Column:
    """A model in the tables and charts of the page; ``role``, before or after, selects its colour."""

    role: str
    title: str
    evaluation: ModelEvaluation

    @property
    def analysis(self) -> Analysis | None:
        return self.evaluation.analysis


def render_evaluation(
    after: ModelEvaluation,
    before: ModelEvaluation | None = None,
    comparison: Mapping[str, Comparison] | None = None,
    examples: SelectedExamples | None = None,
    images: Mapping[str, Image.Image] | None = None,
    facts: Mapping[str, str] | None = None,
    advice: str = "",
) -> str:
    """Return the report of one model, or of two, as a self-contained HTML page.

    Args:
        after: the evaluated model.
        before: the model that it is compared with.
        comparison: differences of headline scores.
        examples: samples to show.
        images: ``thumbnails`` of them; for a missing one the page shows an empty frame.
        facts: lines for the end of the page: what the scores rest on.
        advice: what to try next; empty where there is nothing to say.

    Returns:
        The page. Every text of users and models is escaped.
    """
    shown = examples or SelectedExamples()
    columns = [_Column("after", "Model", after)]
    if before is not None:
        columns = [_Column("before", "Before", before), _Column("after", "After", after)]
    changes = list_score_changes(before, after, comparison or {})
    classes = list_class_changes(before, after)
    values = {
        "columns": columns,
        "after": after,
        "both": before is not None,
        "verdict": verdict_on(after),
        "advice": advice,
        "baseline": any(change.baseline is not None for change in changes),
        "headlines": [change for change in changes if change.score.headline],
        "changes": changes,
        "in_short": in_short(after.analysis, classes) if after.analysis else [],
        "classes": classes,
        "fields": list_field_changes(before, after),
        "validity": count_rows([column.evaluation for column in columns]),
        "speed": speed_rows([column.evaluation for column in columns]),
        "images": embed([*shown.worst, *shown.best, *shown.spread], images or {}),
        "sections": _sections(shown),
        "panels": panels,
        "mark": _mark,
        "facts": facts or {},
        "frame": FRAME,
    }
    return render_template("evaluation/page.html", values | _analyses(columns))


def _sections(shown: SelectedExamples) -> dict[str, tuple[list[Example], list[Example]]]:
    """Split the samples of each section into those whose answers can be drawn and those in words."""
    sections = {"worst": shown.worst, "best": shown.best, "sample": shown.spread}
    return {
        name: (
            [example for example in examples if has_locations(example)],
            [example for example in examples if not has_locations(example)],
        )
        for name, examples in sections.items()
    }


def _analyses(columns: Sequence[_Column]) -> dict[str, Any]:
    """Return the values of the template that come from the analyses, those of all models side by side."""
    known = [(column, column.analysis) for column in columns if column.analysis is not None]
    curves = [(column, analysis.curves) for column, analysis in known if analysis.curves]
    latest = known[-1][1] if known else None
    questions = [analysis.questions for _, analysis in known if analysis.questions]
    return {
        "curves": [(column, curve_points(found.overall), found.overall) for column, found in curves],
        "class_curves": [
            (
                name,
                [
                    (column, curve_points(found.by_class[name], _SMALL_FRAME))
                    for column, found in curves
                    if name in found.by_class
                ],
            )
            for name in (curves[-1][1].by_class if curves else {})
        ],
        "confusion": latest.confusion if latest else None,
        "row_totals": _row_totals(latest.confusion) if latest and latest.confusion else [],
        "calibrations": [
            (column, analysis.calibration, reliability_bars(analysis.calibration))
            for column, analysis in known
            if analysis.calibration
        ],
        "sizes": box_rows([analysis.sizes for _, analysis in known]),
        "crowding": box_rows([analysis.crowding for _, analysis in known]),
        "question_score": score_named(questions[-1].score) if questions else None,
        "answer_kinds": question_rows([found.by_answer for found in questions]),
        "openings": question_rows([found.by_opening for found in questions]),
    }


def _row_totals(confusion: Confusion) -> list[int]:
    return [sum(row) for row in confusion.counts]


def _mark(example: Example, answer: ExampleAnswer) -> str:
    """Return whether an answer is entirely right or entirely wrong; empty where it is in between."""
    if answer.value is None:
        return ""
    right = 1.0 if score_named(example.score).higher_is_better else 0.0
    return {right: "right", 1 - right: "wrong"}.get(answer.value, "")
