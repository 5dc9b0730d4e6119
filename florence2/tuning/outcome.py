"""``Outcome``: the result of a search, with what may be chance in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from florence2.errors import TrainingError
from florence2.tuning.plan import SearchPlan
from florence2.tuning.proposals import importances
from florence2.tuning.rivals import Rival, is_better_beyond_chance, list_rivals, searched
from florence2.tuning.space import settings_by_name
from florence2.tuning.trial import EndedTrial

__all__ = ["Outcome", "conclude"]


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
    def repetitions(self) -> tuple[EndedTrial, EndedTrial] | None:
        """Return the default and the best trial as they were trained with another seed; None where they were not."""
        repeated = [trial for trial in self.trials if trial.trial.repeats is not None]
        return (repeated[0], repeated[1]) if len(repeated) > 1 else None

    @property
    def sentence(self) -> str:
        """Return the result in a sentence."""
        default, others = self.trials[0], len(searched(self.trials)) - 1
        if default.state != "complete":
            return (
                f"trial {self.winner.number} is the best of {others + 1} ({self.changes(self.winner)}): "
                f"{self.value(self.winner)}; the default could not be trained: {default.failure}"
            )
        if not self.rivals or not self.plan.is_ahead(self.rivals[0].trial, default):
            return f"the default is best: none of {others} other trials has more than {self.value(default)}"
        rival = self.rivals[0]
        name = f"trial {rival.trial.number} ({self.changes(rival.trial)})"
        gain = f"{self.value(rival.trial)}, and {self.value(default)} by default"
        if rival.comparison is None:
            why = "a loss has none" if self.plan.score == "loss" else "there are no resamples"
            return f"the default is kept: {name} has {gain}, but there is no interval of the difference: {why}"
        interval = rival.comparison.interval
        limits = f"difference {rival.comparison.difference:+.3f}, {interval.low:+.3f} to {interval.high:+.3f}"
        if not rival.is_better:
            return (
                f"the default is best as far as this search can tell: {name} has {gain}, which may be chance ({limits})"
            )
        if self.repetitions is None:
            return f"the default is kept: {name} has {gain} ({limits}), but it was not trained again with another seed"
        again = f"with another seed {self.value(self.repetitions[1])}, and {self.value(self.repetitions[0])}"
        if self.is_better:
            return f"{name} is better than the default beyond chance: {gain} ({limits}); {again}"
        return f"the default is kept: {name} has {gain} ({limits}), but {again}, which may be chance"

    def changes(self, trial: EndedTrial) -> str:
        """Return in words what a trial has other than the default."""
        ours, theirs = settings_by_name(trial.trial.training), settings_by_name(self.plan.default)
        changed = [f"{name} {_shown(value)}" for name, value in ours.items() if value != theirs[name]]
        return ", ".join(changed) or "the default"

    def best(self, trial: EndedTrial) -> float | None:
        """Return the score of the best epoch of a trial; None where it has none."""
        return self.plan.best(trial)

    def value(self, trial: EndedTrial) -> str:
        """Return the score of a trial in words."""
        best = self.best(trial)
        return f"{self.plan.score} {'-' if best is None else format(best, '.3f')}"


def conclude(plan: SearchPlan, ended: Sequence[EndedTrial]) -> Outcome:
    """Compare the best trials with the default.

    The best trial wins where it is better than the default on other validation images, too (``list_rivals``), and
    again with another seed, with which neither was chosen.

    Args:
        plan: of the search.
        ended: all trials, by number.

    Raises:
        TrainingError: no trial is complete.
    """
    default = ended[0]
    if all(trial.state != "complete" for trial in ended):
        raise TrainingError(f"no trial could be trained; the first failed: {default.failure}")
    rivals = list_rivals(plan, ended)
    outcome = Outcome(plan, tuple(ended), rivals, default, importances(plan, ended))
    if not rivals:
        return outcome
    is_better = default.state != "complete"
    if rivals[0].is_better and outcome.repetitions is not None:
        is_better = is_better_beyond_chance(plan, *outcome.repetitions)
    winner = rivals[0].trial if is_better else default
    return Outcome(plan, outcome.trials, rivals, winner, outcome.importances)


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
