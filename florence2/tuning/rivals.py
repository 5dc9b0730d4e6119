"""The trials that may be better than the default, and whether they are so beyond chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from florence2.evaluation import Comparison, Resampled, Resamples, paired_comparison
from florence2.tuning.plan import SearchPlan
from florence2.tuning.trial import EndedTrial

__all__ = ["Rival", "is_better_beyond_chance", "list_rivals", "searched"]

_SHOWN = 2
_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Rival:
    """A trial that was compared with the default.

    Attributes:
        trial: one of the best.
        comparison: on the same resamples of the validation images; None where the loss is compared, or the default
            could not be trained.
        is_better: whether it is better than the default on other validation images, too.
    """

    trial: EndedTrial
    comparison: Comparison | None
    is_better: bool


def searched(ended: Sequence[EndedTrial]) -> list[EndedTrial]:
    """Return the trials without those that repeat another one."""
    return [trial for trial in ended if trial.trial.repeats is None]


def list_rivals(plan: SearchPlan, ended: Sequence[EndedTrial]) -> tuple[Rival, ...]:
    """Return the best trials besides the default, the best first.

    The best of many trials is a little too good by chance alone. So the interval of the difference is wider the more
    trials there are: with n of them besides the default its level is 1 - 0.05 / n (Bonferroni).

    Args:
        plan: of the search.
        ended: all trials, by number.
    """
    default, *others = searched(ended)
    complete = [
        (best, trial) for trial in others if trial.state == "complete" and (best := plan.best(trial)) is not None
    ]
    complete.sort(key=lambda pair: (-pair[0] if plan.higher_is_better else pair[0], pair[1].number))
    level = 1 - (1 - _CONFIDENCE) / max(1, len(others))
    return tuple(_rival(plan, default, trial, level) for _, trial in complete[:_SHOWN])


def is_better_beyond_chance(plan: SearchPlan, before: EndedTrial, after: EndedTrial) -> bool:
    """Return whether the second of two trials is better on other validation images, too; False where it is not known.

    Args:
        plan: of the search.
        before: a trial.
        after: one that was not chosen among others by its score.
    """
    return _rival(plan, before, after, _CONFIDENCE).is_better


def _rival(plan: SearchPlan, default: EndedTrial, trial: EndedTrial, level: float) -> Rival:
    first, second = _resamples(plan, default), _resamples(plan, trial)
    comparison = paired_comparison(first, second, level).scores.get(plan.score)
    if comparison is None:
        return Rival(trial, None, is_better=False)
    interval = comparison.interval
    return Rival(trial, comparison, is_better=interval.low > 0 if plan.higher_is_better else interval.high < 0)


def _resamples(plan: SearchPlan, trial: EndedTrial) -> Resamples:
    best = plan.best(trial)
    if best is None or not trial.resampled:
        return Resamples(0, 0, {}, {})
    return Resamples(0, 0, {plan.score: Resampled(best, np.array(trial.resampled, dtype=np.float64))}, {})
