"""The trials that may be better than the default."""

from __future__ import annotations

import pytest

from florence2.tuning.rivals import is_better_beyond_chance, list_rivals, searched
from tests.trials import ended, plan, repeated

TRIALS = [
    ended(0, [0.4], spread=0.02),
    ended(1, [0.45], spread=0.02),
    ended(2, [0.6], spread=0.02),
    ended(3, [0.9], state="pruned"),
    ended(4, [0.3], spread=0.02),
]


def test_the_best_complete_trials_are_compared_with_the_default() -> None:
    rivals = list_rivals(plan(), [*TRIALS, repeated(TRIALS[2], 5, 0.99)])
    assert [(rival.trial.number, rival.is_better) for rival in rivals] == [(2, True), (1, False)]
    assert rivals[0].comparison is not None
    assert rivals[0].comparison.difference == pytest.approx(0.2)
    assert rivals[0].comparison.interval.level == pytest.approx(1 - 0.05 / 4), "repetitions do not count"


def test_a_trial_that_repeats_another_one_was_not_searched() -> None:
    assert searched([*TRIALS, repeated(TRIALS[2], 5, 0.99)]) == TRIALS


def test_a_smaller_error_is_better() -> None:
    search = plan().model_copy(update={"score": "cer", "higher_is_better": False})
    trials = [ended(0, [0.4], spread=0.02), ended(1, [0.2], spread=0.02), ended(2, [0.6], spread=0.02)]
    assert [(rival.trial.number, rival.is_better) for rival in list_rivals(search, trials)] == [(1, True), (2, False)]


def test_a_trial_without_resamples_is_not_known_to_be_better() -> None:
    assert not is_better_beyond_chance(plan(), ended(0, [0.1]), ended(1, [0.9]))
    assert is_better_beyond_chance(plan(), ended(0, [0.1], spread=0.01), ended(1, [0.9], spread=0.01))
