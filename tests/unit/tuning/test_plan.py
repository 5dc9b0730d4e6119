"""How long the trials of a search are, and how many there are."""

from __future__ import annotations

import pytest

from florence2.config import SearchConfig
from florence2.errors import ConfigurationError
from florence2.tuning.plan import Pace, trial_length
from tests.trials import ended, plan


def test_trials_are_shorter_than_a_training_where_the_time_is_short() -> None:
    length = trial_length(SearchConfig(minutes=10), 50, Pace(seconds_per_epoch=5.0, spent=40.0))
    assert length.seconds == pytest.approx(440)
    assert length.epochs == 17, "a third of a training, of which five fit, rather than eight trials of 11 epochs"
    assert length.seconds_per_trial == pytest.approx(85)


def test_eight_trials_should_fit_and_four_must() -> None:
    assert trial_length(SearchConfig(minutes=10), 20, Pace(seconds_per_epoch=5.0, spent=0.0)).epochs == 96 // 8
    assert trial_length(SearchConfig(minutes=10), 90, Pace(seconds_per_epoch=10.0, spent=0.0)).epochs == 48 // 4


def test_no_trial_is_longer_than_a_training() -> None:
    assert trial_length(SearchConfig(minutes=100), 10, Pace(seconds_per_epoch=1.0, spent=0.0)).epochs == 10


def test_a_number_of_trials_within_a_time_shares_it() -> None:
    pace = Pace(seconds_per_epoch=5.0, spent=0.0)
    assert trial_length(SearchConfig(minutes=10, trials=32), 50, pace).epochs == 3
    assert trial_length(SearchConfig(minutes=10, trials=2), 40, pace).epochs == 40


def test_ten_minutes_are_the_default() -> None:
    pace = Pace(seconds_per_epoch=5.0, spent=40.0)
    assert trial_length(SearchConfig(), 50, pace) == trial_length(SearchConfig(minutes=10), 50, pace)


def test_trials_without_a_time_have_the_length_of_a_training() -> None:
    length = trial_length(SearchConfig(trials=3), 50, None)
    assert (length.epochs, length.seconds) == (50, None)


def test_a_time_that_is_too_short_says_how_much_is_needed() -> None:
    with pytest.raises(ConfigurationError, match=r"search.minutes: 1 minutes are too few for 3 trials.*at least 3\.1"):
        trial_length(SearchConfig(minutes=1), 50, Pace(seconds_per_epoch=30.0, spent=60.0))


def test_the_time_of_the_trials_so_far_limits_the_number() -> None:
    search = plan(trials=None, seconds=100.0)
    assert search.left([]) == 1
    trials = [ended(number, [0.1], of=search) for number in range(4)]
    assert search.left(trials) == 4, "and two more with another seed"
    assert search.left([*trials[:3], ended(3, [0.1], of=search, seconds=20.0)]) == 0, "the next may take as long"
    pruned = ended(4, [0.1], of=search, state="pruned", seconds=1.0)
    assert search.left([*trials, pruned]) == 3
    assert search.left([ended(0, [0.1], of=search, seconds=120.0)]) == 0


def test_a_failed_default_says_nothing_of_the_time() -> None:
    search = plan(trials=None, seconds=100.0)
    failed = ended(0, [], of=search, state="failed", seconds=1.0)
    assert search.left([failed]) == 2, "20 seconds were expected before the first trial"


def test_both_limits_count() -> None:
    search = plan(trials=3, seconds=100.0)
    assert search.left([ended(0, [0.1], of=search)]) == 2
    assert search.left([ended(0, [0.1], of=search, seconds=60.0)]) == 0
