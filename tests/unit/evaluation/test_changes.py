"""What changed between two models, and which classes are the weakest."""

from __future__ import annotations

import pytest

from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.changes import (
    ScoreChange,
    list_class_changes,
    list_field_changes,
    list_score_changes,
    weakest_classes,
)
from florence2.evaluation.report import ModelEvaluation
from florence2.evaluation.scores import score_named

BEFORE = ModelEvaluation("base", {"map50": 0.02}, {"ring": {"ap50": 0.02, "ap": 0.01}, "dot": {"ap50": 0.02}})


def test_a_change_that_may_be_chance_counts_as_none() -> None:
    score = score_named("map50")
    sure, unsure = (Comparison(0.1, Interval(low, 0.2), 0.9) for low in (0.01, -0.01))
    assert ScoreChange(score, 0.5, 0.6, comparison=sure).verdict == "better"
    assert ScoreChange(score, 0.5, 0.6, comparison=unsure).verdict == "same"
    assert ScoreChange(score, 0.6, 0.5).verdict == "worse"
    assert ScoreChange(score_named("word_error_rate"), 0.6, 0.5).verdict == "better"
    assert ScoreChange(score, None, 0.5).verdict == "same"


def test_what_is_no_better_than_answers_without_the_image_is_not_better() -> None:
    """Issue 15: on radiology questions always "no" scores 0.295; the model's 0.304 was a green "+0.290"."""
    change = ScoreChange(
        score_named("vqa_accuracy"),
        0.014,
        0.304,
        comparison=Comparison(0.29, Interval(0.25, 0.33), 1.0),
        baseline=0.295,
        over_baseline=Comparison(0.009, Interval(-0.02, 0.04), 0.7),
    )
    assert change.verdict == "same"
    assert change.beats_baseline is False


def test_the_difference_of_a_score_that_one_model_lacks_is_unknown() -> None:
    changes = list_score_changes(BEFORE, ModelEvaluation("tuned", {"map50": 0.5, "vqa_accuracy": 0.25}), {})
    assert [(change.score.name, change.before) for change in changes] == [("map50", 0.02), ("vqa_accuracy", None)]
    assert changes[0].delta == pytest.approx(0.48)
    assert changes[1].delta is None


def test_the_weakest_class_stands_first_and_a_class_without_precision_is_left_out() -> None:
    ring = {"ap50": 0.3, "ap": 0.2, "truths": 2.0}
    per_class = {"dot": {"ap50": 0.5}, "ring": ring, "phrase": {"accuracy": 1.0}}
    classes = list_class_changes(BEFORE, ModelEvaluation("m", per_class=per_class))
    assert [(each.name, each.truths) for each in classes] == [("ring", 2), ("dot", None)]


def test_the_weakest_classes_are_those_with_the_worst_score() -> None:
    classes = {"a": {"ap50": 0.9}, "b": {"ap50": 0.1, "ap": 0.0}, "c": {"ap50": 0.1}}
    assert weakest_classes(ModelEvaluation("m", per_class=classes), 2) == ("ap50", [("b", 0.1), ("c", 0.1)])
    errors = {"a": {"word_error_rate": 0.1}, "b": {"word_error_rate": 0.9}}
    assert weakest_classes(ModelEvaluation("m", per_class=errors), 1) == ("word_error_rate", [("b", 0.9)])
    assert weakest_classes(ModelEvaluation("m"), 5) == ("", [])


def test_the_weakest_field_stands_first_and_classes_are_no_fields() -> None:
    per_class = {"total": {"json_field_f1": 0.25, "truths": 4.0}, "date": {"json_field_f1": 0.0}, "ring": {"ap50": 1.0}}
    after = ModelEvaluation("m", per_class=per_class)
    fields = list_field_changes(ModelEvaluation("base", per_class={"total": {"json_field_f1": 0.5}}), after)
    assert [(each.path, each.truths, each.f1.before, each.f1.after) for each in fields] == [
        ("date", None, None, 0.0),
        ("total", 4, 0.5, 0.25),
    ]
    assert [each.name for each in list_class_changes(None, after)] == ["ring"]
