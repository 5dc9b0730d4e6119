"""How long the trials of a search are, and how many there are."""

from __future__ import annotations

import pytest

from florence2.config import SearchConfig
from florence2.errors import ConfigurationError
from florence2.tuning.plan import Pace, trial_length


def test_trials_are_shorter_than_a_training_where_the_time_is_short() -> None:
    length = trial_length(SearchConfig(minutes=10), 50, Pace(seconds_per_epoch=5.0, spent=40.0))
    assert length.seconds == pytest.approx(440)
    assert length.epochs == 14, "six trials rather than ten of 8 epochs"
    assert length.seconds_per_trial == pytest.approx(70)


def test_ten_trials_should_fit_and_six_must() -> None:
    assert trial_length(SearchConfig(minutes=10), 20, Pace(seconds_per_epoch=5.0, spent=0.0)).epochs == 96 // 10
    assert trial_length(SearchConfig(minutes=10), 90, Pace(seconds_per_epoch=10.0, spent=0.0)).epochs == 48 // 6


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
