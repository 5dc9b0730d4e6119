"""A trial is stored as JSON and read again."""

from __future__ import annotations

from florence2.tuning.trial import EndedTrial
from tests.trials import ended


def test_a_trial_is_read_as_it_was_stored() -> None:
    trial = ended(3, [0.1, 0.5, 0.3], spread=0.1)
    assert EndedTrial.model_validate_json(trial.model_dump_json()) == trial


def test_the_best_epoch_is_that_of_the_direction() -> None:
    trial = ended(0, [0.2, 0.5, 0.3])
    assert trial.best(higher_is_better=True) == 0.5
    assert trial.best(higher_is_better=False) == 0.2
    assert trial.best(higher_is_better=True, epochs=1) == 0.2
    assert ended(0, [], state="failed").best(higher_is_better=True) is None
