"""The result of a search, and what may be chance in it."""

from __future__ import annotations

import pytest

from florence2.errors import TrainingError
from florence2.tuning.outcome import conclude
from tests.trials import ended, plan, repeated

FASTER = {"learning_rate": 2.0, "strategy": "lora", "batch_size": 4}


def test_a_trial_that_is_better_beyond_chance_wins() -> None:
    trials = [ended(0, [0.4], spread=0.02), ended(1, [0.6], spread=0.02, params=FASTER)]
    outcome = conclude(plan(), [*trials, repeated(trials[0], 2, 0.41), repeated(trials[1], 3, 0.59)])
    assert outcome.is_better
    assert outcome.winner.number == 1
    assert outcome.repetitions == outcome.trials[2:]
    assert outcome.sentence.endswith("); with another seed map50 0.590, and map50 0.410")
    assert outcome.sentence.startswith(
        "trial 1 (batch_size 4, learning_rate 0.008) is better than the default beyond chance: "
        "map50 0.600, and map50 0.400 by default (difference +0.200, +0.1"
    )


def test_a_difference_that_may_be_chance_keeps_the_default() -> None:
    outcome = conclude(plan(), [ended(0, [0.4], spread=0.1), ended(1, [0.45], spread=0.1, params=FASTER)])
    assert not outcome.is_better
    assert outcome.winner.number == 0
    assert outcome.sentence.startswith("the default is best as far as this search can tell: trial 1 (")
    assert "which may be chance" in outcome.sentence


def test_a_trial_that_is_not_better_with_another_seed_does_not_win() -> None:
    trials = [ended(0, [0.4], spread=0.02), ended(1, [0.6], spread=0.02, params=FASTER)]
    outcome = conclude(plan(), [*trials, repeated(trials[0], 2, 0.50), repeated(trials[1], 3, 0.505)])
    assert outcome.winner.number == 0
    assert outcome.sentence.startswith("the default is kept: trial 1 (batch_size 4")
    assert outcome.sentence.endswith("but with another seed map50 0.505, and map50 0.500, which may be chance")


def test_a_trial_that_was_not_repeated_does_not_win() -> None:
    outcome = conclude(plan(), [ended(0, [0.4], spread=0.02), ended(1, [0.6], spread=0.02, params=FASTER)])
    assert outcome.winner.number == 0
    assert "but it was not trained again with another seed" in outcome.sentence


def test_the_best_of_many_must_be_better_by_more() -> None:
    default, rival = ended(0, [0.4], spread=0.02), ended(1, [0.47], spread=0.02, params=FASTER)
    worse = [ended(number, [0.1], spread=0.02, params=FASTER) for number in range(2, 30)]
    assert conclude(plan(), [default, rival]).rivals[0].is_better
    many = conclude(plan(), [default, rival, *worse])
    assert not many.rivals[0].is_better
    assert many.rivals[0].comparison is not None
    assert many.rivals[0].comparison.interval.level == pytest.approx(1 - 0.05 / 29)


def test_the_default_is_best() -> None:
    outcome = conclude(plan(), [ended(0, [0.4], spread=0.1), ended(1, [0.4], spread=0.1, params=FASTER)])
    assert outcome.sentence == "the default is best: none of 1 other trials has more than map50 0.400"


def test_pruned_and_failed_trials_do_not_win() -> None:
    outcome = conclude(
        plan(),
        [ended(0, [0.4], spread=0.01), ended(1, [0.9], state="pruned"), ended(2, [], state="failed", failure="NaN")],
    )
    assert outcome.winner.number == 0
    assert outcome.rivals == ()


def test_a_loss_has_no_interval_and_keeps_the_default() -> None:
    search = plan().model_copy(update={"score": "loss", "higher_is_better": False})
    outcome = conclude(search, [ended(0, [0.4]), ended(1, [0.2], params=FASTER)])
    assert outcome.winner.number == 0
    assert (
        "has loss 0.200, and loss 0.400 by default, but there is no interval of the difference: a loss has none"
        in outcome.sentence
    )


def test_without_a_default_the_best_trial_wins() -> None:
    failed = ended(0, [], state="failed", failure="the loss is NaN")
    outcome = conclude(plan(), [failed, ended(1, [0.2]), ended(2, [0.3], params=FASTER)])
    assert outcome.winner.number == 2
    assert outcome.sentence.endswith("map50 0.300; the default could not be trained: the loss is NaN")


def test_a_search_without_a_complete_trial_is_an_error() -> None:
    with pytest.raises(TrainingError, match="no trial could be trained; the first failed: the loss is NaN"):
        conclude(plan(), [ended(0, [], state="failed", failure="the loss is NaN")])
