"""The next trials follow from the trials that have ended."""

from __future__ import annotations

import pytest

from florence2.config import Range
from florence2.tuning.plan import SearchPlan
from florence2.tuning.proposals import importances, propose
from florence2.tuning.trial import EndedTrial
from tests.trials import SPACE, ended, plan, rate_of, repeated, searched


def test_the_first_trial_is_the_default() -> None:
    (first,) = propose(plan(), [])
    assert first.training == plan().default
    assert first.params == {"learning_rate": 1.0, "strategy": "lora", "batch_size": 8}
    assert first.floors == {}


def test_the_first_trial_is_the_default_also_where_the_space_does_not_hold_it() -> None:
    search = plan(space={"batch_size": (2, 4)})
    first, second = propose(search, [], count=2)
    assert (first.training, first.params) == (search.default, {})
    assert second.training.batch_size in (2, 4)
    (third,) = propose(
        search, [ended(0, [0.1], of=search, params={}), ended(1, [0.1], of=search, params={"batch_size": 2})]
    )
    assert third.params == {"batch_size": 4}, "a point that was not tried"


def test_a_search_that_is_continued_proposes_what_one_without_a_pause_proposes() -> None:
    whole = searched(plan(), 8)
    for count in range(8):
        (again,) = propose(plan(), whole[:count])
        assert again == whole[count].trial
    assert len({str(trial.trial.params) for trial in whole}) == 8


def test_another_seed_proposes_others() -> None:
    trials, others = searched(plan(), 4), searched(plan(seed=1), 4)
    assert [trial.trial.params for trial in trials[1:]] != [trial.trial.params for trial in others[1:]]


def test_trials_that_are_proposed_together_differ() -> None:
    trials = searched(plan(trials=9), 9, per_round=3)
    assert [trial.number for trial in trials] == list(range(9))
    assert len({str(trial.trial.params) for trial in trials}) == 9
    assert all(trial.trial.floors == {} for trial in trials[:3])


def test_a_search_learns_from_the_scores() -> None:
    trials = searched(plan(trials=40, space={"learning_rate": SPACE["learning_rate"]}), 40)
    rates = [rate_of(trial.trial.training) for trial in trials]
    assert all(1e-3 < rate < 4e-3 for rate in rates[-5:]), "the best rate is 2e-3"


def test_a_search_ends_after_its_trials() -> None:
    search = plan(trials=3)
    trials = searched(search, 3)
    assert propose(search, trials) == []
    assert len(propose(search, trials[:1], count=5)) == 2


def test_the_best_trial_is_repeated_where_it_is_better_beyond_chance() -> None:
    search = plan(trials=2)
    params = {"learning_rate": 2.0, "strategy": "lora", "batch_size": 4}
    trials = [ended(0, [0.4], spread=0.01, of=search), ended(1, [0.6], spread=0.01, of=search, params=params)]
    first, second = propose(search, trials, count=2)
    assert (first.number, first.repeats, first.floors) == (2, 0, {})
    assert first.training == search.default.model_copy(update={"seed": 1})
    assert (second.number, second.repeats) == (3, 1)
    assert second.training == trials[1].trial.training.model_copy(update={"seed": 1})

    (one,) = propose(search, trials)
    assert one == first
    again = [*trials, repeated(trials[0], 2, 0.4)]
    assert propose(search, again, count=5) == [second]
    assert propose(search, [*again, repeated(trials[1], 3, 0.9)]) == []


def test_a_best_trial_that_may_be_chance_is_not_repeated() -> None:
    search = plan(trials=2)
    assert propose(search, [ended(0, [0.4], spread=0.1, of=search), ended(1, [0.45], spread=0.1, of=search)]) == []


def count_left(search: SearchPlan, trials: list[EndedTrial]) -> int:
    """Return how many trials would be proposed if they were not to learn from each other."""
    return len([trial for trial in propose(search, trials, count=99) if trial.repeats is None])


def test_the_time_of_the_trials_so_far_limits_the_number() -> None:
    search = plan(trials=None, seconds=100.0)
    assert count_left(search, []) == 1, "its time is not known before"
    trials = [ended(number, [0.1], of=search) for number in range(4)]
    assert count_left(search, trials) == 6
    assert count_left(search, [*trials[:3], ended(3, [0.1], of=search, seconds=20.0)]) == 4, "at the mean of 12.5 s"
    pruned = ended(4, [0.1], of=search, state="pruned", seconds=1.0)
    assert count_left(search, [*trials, pruned]) == 5
    assert count_left(search, [ended(0, [0.1], of=search, seconds=120.0)]) == 0


def test_time_is_kept_for_the_repetitions_where_there_will_be_some() -> None:
    search = plan(trials=None, seconds=100.0)
    trials = [ended(0, [0.4], spread=0.01, of=search), ended(1, [0.6], spread=0.01, of=search)]
    assert count_left(search, trials) == 6
    assert count_left(search, [trials[0], ended(1, [0.4], spread=0.01, of=search)]) == 8


def test_a_failed_default_says_nothing_of_the_time() -> None:
    search = plan(trials=None, seconds=100.0)
    failed = ended(0, [], of=search, state="failed", seconds=1.0)
    assert count_left(search, [failed]) == 4, "20 seconds were expected before the first trial"


def test_both_limits_count() -> None:
    search = plan(trials=3, seconds=100.0)
    assert count_left(search, [ended(0, [0.1], of=search)]) == 2
    assert count_left(search, [ended(0, [0.1], of=search, seconds=60.0)]) == 0


def test_a_trial_must_reach_the_median_of_those_before() -> None:
    search = plan(epochs=8)
    before = [ended(number, [0.1 * number + 0.01 * epoch for epoch in range(8)], of=search) for number in range(3)]
    (trial,) = propose(search, before)
    assert set(trial.floors) == {2, 3, 4, 5, 6, 7}, "neither in the warm-up nor after the last epoch"
    assert trial.floors[4] == pytest.approx(0.13)
    (unpruned,) = propose(search, before[:2])
    assert unpruned.floors == {}


def test_the_median_of_an_epoch_is_that_of_the_trials_that_reached_it() -> None:
    search = plan(epochs=4)
    before = [ended(number, [0.2] * 4, of=search) for number in range(3)]
    before.append(ended(3, [0.9, 0.9], of=search, state="pruned"))
    (trial,) = propose(search, before)
    assert trial.floors == {1: 0.2, 2: 0.2, 3: 0.2}


def test_a_failed_trial_counts_as_the_worst() -> None:
    search = plan(trials=40, space={"batch_size": (4, 8), "flip": Range(low=0.0, high=1.0)})
    failing = [
        ended(number, [], of=search, params={"batch_size": 4, "flip": number / 10}, state="failed")
        for number in range(6)
    ]
    good = [ended(number, [0.5], of=search, params={"batch_size": 8, "flip": number / 20}) for number in range(6, 12)]
    proposed = [propose(search, [*failing, *good, *good[:extra]])[0] for extra in range(6)]
    assert [trial.params["batch_size"] for trial in proposed].count(8) >= 4


def test_the_setting_that_matters_is_found() -> None:
    search = plan(trials=30)
    found = importances(search, searched(search, 30))
    assert next(iter(found)) == "learning_rate"
    assert sum(found.values()) == pytest.approx(1.0)


def test_a_few_trials_say_nothing_of_what_matters() -> None:
    search = plan()
    assert importances(search, searched(search, 4)) == {}
    equal = [
        ended(number, [0.0], params={"learning_rate": 1.0 + number, "strategy": "lora", "batch_size": 8})
        for number in range(3)
    ]
    assert importances(search, [*equal, *equal, *equal]) == {}
