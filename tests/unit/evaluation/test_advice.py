"""What to try next after a poor training: a case for each reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from florence2.evaluation.advice import TrainingFacts, advise
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.report import ModelEvaluation
from florence2.training.history import EpochRecord, TrainingHistory
from tests.builders import manifest

FINE = TrainingFacts(
    losses=(4.0, 2.0, 1.5, 1.2),
    validation_losses=(4.0, 2.5, 2.0, 2.1),
    best_epoch=3,
    base="florence-community/Florence-2-base-ft",
    input_wh=(128, 128),
    object_sides=(40.0, 50.0, 60.0),
    class_counts={"cat": 30, "dog": 40},
)


def model(score: float, baseline: float, low: float, high: float) -> ModelEvaluation:
    compared = {"map50": Comparison(score - baseline, Interval(low, high), 0.5)}
    return ModelEvaluation("m", {"map50": score}, baseline=BaselineScores({"map50": baseline}, compared))


WORTHLESS = model(0.31, 0.30, -0.02, 0.04)


@pytest.mark.parametrize(
    ("facts", "advice"),
    [
        ({"losses": (2.0, 2.5)}, "rose from 2 to 2.5: the learning rate is too high"),
        ({"losses": (2.0, float("inf"))}, "the learning rate is too high"),
        ({"best_epoch": 1}, "Of 4 epochs the first was the best"),
        (
            {"validation_losses": (4.0, 3.0, 2.5, 2.0), "best_epoch": 4},
            "still falling in the last of 4 epochs, from 2.5 to 2: try more epochs (--epochs=8)",
        ),
        ({"losses": (4.0,), "validation_losses": (4.0,), "best_epoch": 1}, "try more epochs (--epochs=4)"),
        (
            {"object_sides": (4.0, 5.0, 60.0)},
            "2 of 3 objects are smaller than 10 pixels at the model's size of 128 x 128: cut the images into crops",
        ),
        ({"class_counts": {"cat": 30, "dog": 3}}, "The class dog has 3 boxes in the training split: add samples of it"),
        ({"class_counts": {"cat": 1}}, "The class cat has 1 box in"),
        (
            {"base": "builtin:small"},
            "builtin:small is small and has seen no photograph: try florence-community/Florence-2-",
        ),
    ],
)
def test_each_reason_has_its_advice(facts: dict[str, object], advice: str) -> None:
    assert advice in advise(WORTHLESS, replace(FINE, **facts))  # type: ignore[arg-type]


def test_where_nothing_stands_out_nothing_is_recommended() -> None:
    assert advise(WORTHLESS, FINE) == ""
    assert advise(WORTHLESS, TrainingFacts()) == ""


def test_a_flat_end_is_not_still_falling() -> None:
    flat = replace(FINE, validation_losses=(4.0, 3.0, 2.01, 2.0), best_epoch=4)
    assert advise(WORTHLESS, flat) == ""


def test_a_training_that_failed_comes_before_all_else() -> None:
    facts = replace(FINE, losses=(1.0, 3.0), class_counts={"cat": 1}, base="builtin:nano")
    assert "learning rate" in advise(WORTHLESS, facts)


@pytest.mark.parametrize(
    ("evaluation", "is_poor"),
    [
        (model(0.1, 0.01, 0.05, 0.12), True),
        (model(0.6, 0.01, 0.5, 0.7), False),
        (ModelEvaluation("m", {"map50": 0.0}), False),
    ],
)
def test_a_low_score_is_poor_and_a_model_without_a_baseline_is_not(evaluation: ModelEvaluation, is_poor: bool) -> None:
    assert bool(advise(evaluation, replace(FINE, base="builtin:nano"))) is is_poor


def test_facts_are_measured_at_the_size_of_the_models_input() -> None:
    train = manifest(
        {"suffix": "cat<loc_0><loc_0><loc_500><loc_100>dog<loc_0><loc_0><loc_100><loc_500>"},
        {"prefix": "<VQA>how many?", "task": "<VQA>", "suffix": "2"},
        {"suffix": ""},
    )
    history = TrainingHistory((EpochRecord(1, 4, 3.0, 2.0, 1e-3), EpochRecord(2, 8, 2.0, 1.0, 1e-3)), best_epoch=2)
    facts = TrainingFacts.of(train, history, "builtin:nano", (64, 32))
    assert facts.class_counts == {"cat": 1, "dog": 1}
    assert facts.object_sides == pytest.approx((3.2, 6.4), abs=0.01)
    assert (facts.losses, facts.validation_losses, facts.best_epoch) == ((3.0, 2.0), (2.0, 1.0), 2)
