"""What a training logs for people: a line for each epoch, and one now and then between."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from transformers import TrainerControl, TrainerState, TrainingArguments

from florence2.training.callbacks import EpochLines, Floors, Patience


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("florence2.training.callbacks.time", clock)
    return clock


def arguments(best_by: str = "eval_loss") -> TrainingArguments:
    return TrainingArguments(num_train_epochs=3, metric_for_best_model=best_by, report_to=[], use_cpu=True)


def state(step: int, **values: Any) -> TrainerState:
    return TrainerState(global_step=step, max_steps=100, log_history=[{"loss": 0.5, "step": 1}], **values)


METRICS = {
    "eval_loss": 0.25,
    "eval_map": 0.1,
    "eval_map50": 0.2,
    "eval_map75": 0.3,
    "eval_mar_1": 0.4,
    "eval_runtime": 9,
}


@pytest.mark.parametrize(
    ("best_by", "line"),
    [
        ("eval_loss", "epoch 2/3: loss 0.5000, validation loss 0.2500, map 0.1000, map50 0.2000, map75 0.3000"),
        ("eval_map50", "epoch 2/3: loss 0.5000, validation loss 0.2500, map50 0.2000"),
    ],
)
def test_an_epoch_is_logged_with_the_score_that_chooses(
    best_by: str, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        EpochLines().on_evaluate(arguments(best_by), state(50, epoch=2.0), TrainerControl(), METRICS)
    assert caplog.messages == [line]


def test_the_base_is_logged_before_the_first_step(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        EpochLines().on_evaluate(arguments(), TrainerState(), TrainerControl(), {"eval_loss": 3.0})
    assert caplog.messages == ["base: validation loss 3.0000"]


def test_within_a_long_epoch_the_remaining_time_is_logged(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    """Also of a run that goes on from a save: what was done before says nothing about the pace."""
    lines = EpochLines(between=True)
    lines.on_train_begin(arguments(), state(40), TrainerControl())
    with caplog.at_level(logging.INFO):
        for step, now in ((41, 1010.0), (42, 1031.0), (43, 1032.0), (44, 1600.0)):
            clock.now = now
            lines.on_step_end(arguments(), state(step), TrainerControl())
    assert caplog.messages == [
        "step 42/100, loss 0.5000, about 15 min left",
        "step 44/100, loss 0.5000, about 2 h 20 min left",
    ]


def test_where_there_is_a_bar_nothing_is_logged_between(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    lines = EpochLines()
    lines.on_train_begin(arguments(), state(0), TrainerControl())
    clock.now += 3600
    with caplog.at_level(logging.INFO):
        lines.on_step_end(arguments(), state(1), TrainerControl())
    assert not caplog.messages


def scored(*scores: float) -> TrainerState:
    return TrainerState(log_history=[{"eval_map50": score, "step": step} for step, score in enumerate(scores, 1)])


@pytest.mark.parametrize(
    ("scores", "over"),
    [((0.1,), False), ((0.1, 0.2), True), ((0.4, 0.2), False), ((0.1, 0.3), False), ((0.0, 0.0, 0.0), False)],
)
def test_a_training_below_a_floor_ends(scores: tuple[float, ...], over: bool) -> None:
    """Its best epoch counts, not the last; and only the floor of this epoch."""
    higher = arguments("eval_map50")
    higher.greater_is_better = True
    control = TrainerControl()
    floors = Floors({2: 0.3})
    assert floors.is_over(higher, scored(*scores)) is over
    floors.on_evaluate(higher, scored(*scores), control)
    assert control.should_training_stop is over


def test_a_loss_above_a_floor_ends_a_training() -> None:
    lower = arguments("eval_map50")
    lower.greater_is_better = False
    assert Floors({1: 0.3}).is_over(lower, scored(0.4))
    assert not Floors({1: 0.3}).is_over(lower, scored(0.3))


def test_a_training_that_no_longer_improves_ends() -> None:
    higher = arguments("eval_map50")
    higher.greater_is_better = True
    assert not Patience(2).is_over(higher, scored(0.1, 0.3, 0.2))
    assert Patience(2).is_over(higher, scored(0.1, 0.3, 0.2, 0.3))
