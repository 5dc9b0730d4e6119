"""``Trial`` and ``EndedTrial``: a training with other settings, before and after it has run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from florence2.config import BaseConfig, SettingValue, TrainingConfig

__all__ = ["EndedTrial", "Trial"]


class Trial(BaseConfig):
    """A training that is to run.

    Attributes:
        number: in the order of proposal; 0 is the default, the settings without a search.
        params: the value of each dimension of the space, by name; empty where the space does not hold the default.
        training: all settings.
        floors: the score that the best epoch must have reached, by number of the epoch, or the trial ends there.
        repeats: the trial whose settings are trained again with another seed; None for one with settings of its own.
    """

    number: int
    params: dict[str, SettingValue]
    training: TrainingConfig
    floors: dict[int, float] = Field(default_factory=dict)
    repeats: int | None = None


class EndedTrial(BaseConfig):
    """A training that has run.

    Attributes:
        trial: what was run.
        state: complete; pruned, where it was below a floor; failed, where it diverged or did not fit into the memory.
        scores: on the validation split after each epoch.
        seconds: time of the trial, without the pauses of one that was interrupted.
        failure: why it failed; empty otherwise.
        resampled: the score of its best epoch on resamples of the images of the validation split; None for a resample
            that does not define it. Empty where it is not complete, or where the loss is compared.
    """

    trial: Trial
    state: Literal["complete", "pruned", "failed"]
    scores: tuple[float, ...]
    seconds: float
    failure: str = ""
    resampled: tuple[float | None, ...] = ()

    @property
    def number(self) -> int:
        """Return the number of the trial."""
        return self.trial.number

    def best(self, *, higher_is_better: bool, epochs: int | None = None) -> float | None:
        """Return the score of the best epoch; None where there is none.

        Args:
            higher_is_better: whether a larger score is better.
            epochs: only of the first ones.
        """
        scores = self.scores[:epochs]
        if not scores:
            return None
        return max(scores) if higher_is_better else min(scores)
