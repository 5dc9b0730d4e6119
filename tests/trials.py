"""Plans and trials of a search, as they are after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from florence2.config import Dimension, Range, TrainingConfig
from florence2.tuning.plan import SearchPlan, TrialLength
from florence2.tuning.proposals import propose
from florence2.tuning.space import apply
from florence2.tuning.trial import EndedTrial, Trial

__all__ = ["RATES", "SPACE", "ended", "plan", "rate_of", "repeated", "searched"]

RATES = {"lora": 4e-3, "full": 1e-3, "freeze": 1e-3}

SPACE: dict[str, Dimension] = {
    "learning_rate": Range(low=0.25, high=4.0, log=True, of_default=True),
    "strategy": ("lora", "full"),
    "batch_size": (4, 8, 16),
}


def plan(
    *,
    space: dict[str, Dimension] | None = None,
    epochs: int = 4,
    trials: int | None = 8,
    seconds: float | None = None,
    **settings: Any,
) -> SearchPlan:
    """Return the plan of a search by mAP50."""
    return SearchPlan(
        default=TrainingConfig(learning_rate=4e-3, epochs=epochs, best_by="map50", **settings),
        space=space or SPACE,
        rates=RATES,
        score="map50",
        higher_is_better=True,
        trials=trials,
        length=TrialLength(epochs=epochs, seconds=seconds, seconds_per_trial=None if seconds is None else 20.0),
        full_epochs=12,
    )


def ended(
    number: int, scores: Sequence[float], *, spread: float | None = None, of: SearchPlan | None = None, **values: Any
) -> EndedTrial:
    """Return a trial that has run.

    Args:
        number: in the order of proposal.
        scores: after each epoch.
        spread: standard deviation of the best score over resamples; None: it was not resampled.
        of: the search; None: ``plan()``.
        values: ``params``, or attributes of the trial.
    """
    search = of or plan()
    params = values.pop("params", {"learning_rate": 1.0, "strategy": "lora", "batch_size": 8})
    resampled = () if spread is None else np.random.default_rng(number).normal(max(scores), spread, 500).tolist()
    trial = Trial(number=number, params=params, training=apply(params, search.space, search.default, search.rates))
    return EndedTrial(
        **{"trial": trial, "state": "complete", "scores": tuple(scores), "seconds": 10.0, "resampled": resampled}
        | values
    )


def repeated(trial: EndedTrial, number: int, score: float, spread: float = 0.01) -> EndedTrial:
    """Return a trial with the settings of another one and another seed."""
    again = ended(number, [score], spread=spread)
    settings = trial.trial.training.model_copy(update={"seed": 1})
    return again.model_copy(update={"trial": Trial(number=number, params={}, training=settings, repeats=trial.number)})


def searched(search: SearchPlan, count: int, *, per_round: int = 1) -> list[EndedTrial]:
    """Return trials as the search proposes them, each with a score that follows from its settings."""
    found: list[EndedTrial] = []
    while len(found) < count and (proposed := propose(search, found, per_round)):
        for trial in proposed:
            best = round(1 / (1 + abs(np.log(rate_of(trial.training) / 2e-3))), 6)
            scores = tuple(best * (epoch + 1) / search.length.epochs for epoch in range(search.length.epochs))
            floor = next((epoch for epoch, floor in trial.floors.items() if scores[epoch - 1] < floor), None)
            found.append(
                EndedTrial(
                    trial=trial, state="complete" if floor is None else "pruned", scores=scores[:floor], seconds=10.0
                )
            )
    return found


def rate_of(training: TrainingConfig) -> float:
    """Return the learning rate of a trial, which is always a number."""
    assert isinstance(training.learning_rate, float)
    return training.learning_rate
