"""``Outcome``: the result of a search, with what may be chance in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from florence2.errors import TrainingError
from florence2.evaluation import Comparison, Resampled, Resamples, paired_comparison
from florence2.tuning.plan import SearchPlan
from florence2.tuning.proposals import importances
from florence2.tuning.space import settings_by_name
from florence2.tuning.trial import EndedTrial

__all__ = ["Outcome", "Rival", "conclude"]

_RIVALS = 2
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rival:
    """A trial that was compared with the default.

    Attributes:
        trial: one of the best.
        comparison: on the same resamples of the validation images; None where the loss is compared.
    """

    trial: EndedTrial
    comparison: Comparison | None


@dataclass(frozen=True)
class Outcome:
    """The result of a search.

    Attributes:
        plan: of the search.
        trials: all of them, by number.
        rivals: the best trials besides the default, the best first.
        winner: the best trial where it is better than the default beyond chance; else the default.
        importances: how much each setting mattered, see ``importances``.
    """

    plan: SearchPlan
    trials: tuple[EndedTrial, ...]
    rivals: tuple[Rival, ...]
    winner: EndedTrial
    importances: dict[str, float]

    @property
    def is_better(self) -> bool:
        """Return whether a trial is better than the default beyond chance."""
        return self.winner.number != 0

    @property
    def sentence(self) -> str:
        """Return the result in a sentence."""
        default, plan = self.trials[0], self.plan
        if default.state != "complete":
            return (
                f"trial {self.winner.number} is the best of {len(self.trials)} ({self.changes(self.winner)}): "
                f"{self.value(self.winner)}; the default could not be trained: {default.failure}"
            )
        if not self.rivals or not self._is_ahead(self.rivals[0].trial):
            return (
                f"the default is best: none of {len(self.trials) - 1} other trials has more than {self.value(default)}"
            )
        rival = self.rivals[0]
        gain = f"{self.value(rival.trial)}, and {self.value(default)} by default"
        name = f"trial {rival.trial.number} ({self.changes(rival.trial)})"
        if rival.comparison is None:
            why = f"a {plan.score} has no interval here: the validation split has few samples, or several tasks"
            return f"the default is kept: {name} has {gain}, but {why}"
        interval = rival.comparison.interval
        limits = f"difference {rival.comparison.difference:+.3f}, {interval.low:+.3f} to {interval.high:+.3f}"
        if self.is_better:
            return f"{name} is better than the default beyond chance: {gain} ({limits})"
        return f"the default is best as far as this search can tell: {name} has {gain}, which may be chance ({limits})"

    def changes(self, trial: EndedTrial) -> str:
        """Return in words what a trial has other than the default."""
        ours, theirs = settings_by_name(trial.trial.training), settings_by_name(self.plan.default)
        changed = [f"{name} {_shown(value)}" for name, value in ours.items() if value != theirs[name]]
        return ", ".join(changed) or "the default"

    def best(self, trial: EndedTrial) -> float | None:
        """Return the score of the best epoch of a trial; None where it has none."""
        return trial.best(higher_is_better=self.plan.higher_is_better)

    def value(self, trial: EndedTrial) -> str:
        """Return the score of a trial in words."""
        best = self.best(trial)
        return f"{self.plan.score} {'-' if best is None else format(best, '.3f')}"

    def _is_ahead(self, trial: EndedTrial) -> bool:
        best, default = self.best(trial), self.best(self.trials[0])
        assert best is not None and default is not None
        return best > default if self.plan.higher_is_better else best < default


def conclude(plan: SearchPlan, ended: Sequence[EndedTrial]) -> Outcome:
    """Compare the best trials with the default.

    The best of many trials is a little too good by chance alone. So the interval of the difference is wider the more
    trials there are: with n of them besides the default its level is 1 - 0.05 / n (Bonferroni). It covers which images
    are in the validation split; not that the same settings train otherwise with another seed.

    Args:
        plan: of the search.
        ended: all trials, by number.

    Raises:
        TrainingError: no trial is complete.
    """
    default, *others = ended
    complete = [trial for trial in ended if trial.state == "complete"]
    if not complete:
        raise TrainingError(f"no trial could be trained; the first failed: {default.failure}")

    def rank(trial: EndedTrial) -> tuple[float, int]:
        best = trial.best(higher_is_better=plan.higher_is_better)
        assert best is not None
        return (-best if plan.higher_is_better else best), trial.number

    ranked = sorted((trial for trial in complete if trial.number), key=rank)
    level = 1 - (1 - _CONFIDENCE) / max(1, len(others))
    rivals = tuple(Rival(trial, _compare(plan, default, trial, level)) for trial in ranked[:_RIVALS])
    winner = default if default.state == "complete" else ranked[0]
    if rivals and default.state == "complete" and _is_beyond_chance(rivals[0], plan.higher_is_better):
        winner = rivals[0].trial
    return Outcome(plan, tuple(ended), rivals, winner, importances(plan, ended))


def _compare(plan: SearchPlan, default: EndedTrial, trial: EndedTrial, level: float) -> Comparison | None:
    before, after = (_resamples(plan, each) for each in (default, trial))
    return paired_comparison(before, after, level).scores.get(plan.score)


def _resamples(plan: SearchPlan, trial: EndedTrial) -> Resamples:
    best = trial.best(higher_is_better=plan.higher_is_better)
    if best is None or not trial.resampled:
        return Resamples(0, 0, {}, {})
    return Resamples(0, 0, {plan.score: Resampled(best, np.array(trial.resampled, dtype=np.float64))}, {})


def _is_beyond_chance(rival: Rival, higher_is_better: bool) -> bool:
    if rival.comparison is None:
        return False
    interval = rival.comparison.interval
    return interval.low > 0 if higher_is_better else interval.high < 0


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
