"""The course of a training: from the lines of a trainer to records."""

from __future__ import annotations

import json
import math

import pytest

from florence2.training.history import BaseRecord, EpochRecord, TrainingHistory

COURSE: list[dict[str, float]] = [
    {"step": 0, "epoch": 0.0, "eval_loss": 5.0, "eval_map50": 0.1, "eval_runtime": 1.0},
    {"step": 1, "epoch": 0.5, "loss": 4.0, "learning_rate": 1e-3, "grad_norm": 2.0, "seconds": 1.0},
    {"step": 2, "epoch": 1.0, "loss": 2.0, "learning_rate": 2e-3, "grad_norm": 1.0, "seconds": 2.0},
    {"step": 2, "epoch": 1.0, "eval_loss": 3.0, "eval_map50": 0.4, "eval_samples_per_second": 9.0, "seconds": 3.0},
    {"step": 4, "epoch": 2.0, "loss": 1.0, "learning_rate": 1e-3, "grad_norm": 1.0, "seconds": 4.0},
    {"step": 4, "epoch": 2.0, "eval_loss": 3.5, "eval_map50": 0.3, "seconds": 5.0},
    {"step": 4, "train_runtime": 5.0},
]


def test_a_record_for_each_epoch_and_one_for_each_line_between() -> None:
    history = TrainingHistory.of(COURSE, best_epoch=1)
    assert history.base == BaseRecord(5.0, {"map50": 0.1})
    assert history.best == EpochRecord(1, 2, 3.0, 3.0, 2e-3, {"map50": 0.4}, 3.0)
    assert [(step.step, step.loss, step.seconds) for step in history.steps] == [
        (1, 4.0, 1.0),
        (2, 2.0, 2.0),
        (4, 1.0, 4.0),
    ]
    assert history.measured == ("map50",)
    assert history.series("loss") == {1: 3.0, 2: 1.0}
    assert history.series("map50") == {1: 0.4, 2: 0.3}
    assert (history.base_value("validation_loss"), history.base_value("map50")) == (5.0, 0.1)
    assert history.base_value("loss") is None


def test_steps_that_a_resumed_run_does_again_count_once() -> None:
    again = [*COURSE[:5], {"step": 2, "epoch": 1.0, "loss": 2.5, "learning_rate": 2e-3}, *COURSE[3:]]
    history = TrainingHistory.of(again, best_epoch=1)
    assert [(step.step, step.loss) for step in history.steps] == [(1, 4.0), (2, 2.5), (4, 1.0)]
    assert [epoch.epoch for epoch in history.epochs] == [1, 2]
    assert history.epochs[0].loss == pytest.approx(3.25)


def test_what_was_not_logged_is_no_number_here_and_null_in_json() -> None:
    history = TrainingHistory.of([{"step": 7, "epoch": 1.0, "eval_loss": 2.0}], best_epoch=1)
    assert math.isnan(history.best.loss)
    assert history.base is None
    content = json.loads(json.dumps(history.to_dict(), allow_nan=False))
    assert content["epochs"][0]["loss"] is None
    assert content["epochs"][0]["validation_loss"] == 2.0


def test_a_training_without_an_epoch_has_no_best_one() -> None:
    with pytest.raises(LookupError, match="no epoch"):
        _ = TrainingHistory().best
