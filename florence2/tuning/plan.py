"""``SearchPlan``: what a search varies, how long its trials are, and when there are enough of them."""

from __future__ import annotations

import math

from florence2.config import BaseConfig, Dimension, SearchConfig, TrainingConfig
from florence2.errors import ConfigurationError
from florence2.tuning.trial import EndedTrial

__all__ = ["DEFAULT_MINUTES", "Pace", "SearchPlan", "TrialLength", "trial_length"]

DEFAULT_MINUTES = 10.0

_UNPRUNED_TRIALS = 10
"""Trials that the time should allow if none is pruned, two of them with another seed; their length follows from it."""

_FEWEST_UNPRUNED = 6
_SHORT = 1 / 3
"""Share of the epochs of a training below which trials show little of it: rather than that there are fewer of them."""

_LEAST_TRIALS = 3
_USABLE = 0.8
"""Share of the minutes for trials; the rest is for the start and for the comparison at the end."""


class Pace(BaseConfig):
    """How fast this machine trains.

    Attributes:
        seconds_per_epoch: with the default settings, with the validation.
        spent: seconds that the measurement took.
    """

    seconds_per_epoch: float
    spent: float


class TrialLength(BaseConfig):
    """The length of a trial.

    Attributes:
        epochs: of each trial that is not pruned.
        seconds: that all trials may take together; None: any.
        seconds_per_trial: as expected before the first trial; None where the time is not limited.
    """

    epochs: int
    seconds: float | None = None
    seconds_per_trial: float | None = None


class SearchPlan(BaseConfig):
    """What a search depends on; from it and the trials that have ended, the next ones follow.

    Attributes:
        default: the settings without a search, with the epochs of a trial; the first trial.
        space: the settings that vary.
        rates: the default learning rate of each strategy.
        score: of the validation split, by which trials are compared; ``loss`` where that split has few samples.
        higher_is_better: whether a larger score is better.
        trials: most trials; None: as many as the time allows.
        length: of a trial.
        full_epochs: of a training with the default settings.
    """

    default: TrainingConfig
    space: dict[str, Dimension]
    rates: dict[str, float]
    score: str
    higher_is_better: bool
    trials: int | None
    length: TrialLength
    full_epochs: int

    def best(self, trial: EndedTrial) -> float | None:
        """Return the score of the best epoch of a trial; None where it has none."""
        return trial.best(higher_is_better=self.higher_is_better)

    def is_ahead(self, trial: EndedTrial, other: EndedTrial) -> bool:
        """Return whether a trial has a better score than another one, by chance or not."""
        best, others = self.best(trial), self.best(other)
        if best is None or others is None:
            return others is None and best is not None
        return best > others if self.higher_is_better else best < others


def trial_length(search: SearchConfig, full_epochs: int, pace: Pace | None) -> TrialLength:
    """Return the length of a trial.

    Args:
        search: the time, the number of trials, or both.
        full_epochs: of a training with the default settings; no trial is longer.
        pace: as measured; None only where the time is not limited.

    Raises:
        ConfigurationError: the time does not allow three trials of an epoch.
    """
    if pace is None:
        return TrialLength(epochs=full_epochs)
    minutes = search.minutes or DEFAULT_MINUTES
    seconds = _USABLE * 60 * minutes - pace.spent
    epochs = int(seconds / pace.seconds_per_epoch)
    least = min(_LEAST_TRIALS, search.trials or _LEAST_TRIALS)
    if epochs < least:
        needed = (least * pace.seconds_per_epoch + pace.spent) / 60 / _USABLE
        raise ConfigurationError(
            f"search.minutes: {minutes:g} minutes are too few for {least} trials, as an epoch takes "
            f"{pace.seconds_per_epoch:.0f} s; give at least {needed:.1f}, or fewer samples"
        )
    length = epochs // (search.trials or _UNPRUNED_TRIALS)
    if search.trials is None:
        length = max(length, min(math.ceil(_SHORT * full_epochs), epochs // _FEWEST_UNPRUNED))
    length = max(1, min(full_epochs, length))
    return TrialLength(epochs=length, seconds=seconds, seconds_per_trial=length * pace.seconds_per_epoch)
