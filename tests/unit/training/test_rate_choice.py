"""What a report shows of a search for the learning rate."""

from __future__ import annotations

from florence2.training.rate_choice import RateChoice, RateTrial


def test_the_facts_list_the_rates_with_their_losses() -> None:
    trials = (RateTrial(learning_rate=5e-4, loss=1.23456), RateTrial(learning_rate=1e-3, loss=None))
    choice = RateChoice(learning_rate=5e-4, reason="5e-4 of 2 tried", steps=60, base_loss=3.0, trials=trials)
    assert choice.facts == {
        "learning rate": "5e-4 of 2 tried",
        "learning rates tried": "validation loss of 0.0005: 1.235, 0.001: diverged; base 3",
    }


def test_without_a_search_there_are_none_and_without_trials_there_is_the_reason() -> None:
    assert RateChoice().facts == {}
    assert RateChoice(reason="the default: too short").facts == {"learning rate": "the default: too short"}
