"""``propose``: the next trials, by the scores of those that have ended."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from statistics import mean, median
from typing import TYPE_CHECKING, Any

from florence2.config import Dimension, Range, SettingValue
from florence2.tuning.plan import SearchPlan
from florence2.tuning.rivals import list_rivals, searched
from florence2.tuning.space import apply, default_params
from florence2.tuning.trial import EndedTrial, Trial

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

__all__ = ["importances", "propose"]

_AT_RANDOM = 5
"""Trials before Optuna's sampler (TPE, Bergstra et al. 2011) learns from scores; until then it draws at random."""

_FIRST_FLOOR = 0.25
"""Share of the epochs of a trial before which none is pruned: the first scores depend on the warm-up."""

_COMPARED = 3
"""Trials from which the median of an epoch is a floor."""

_ATTEMPTS = 20
_LEAST_FOR_IMPORTANCES = 6
_NO_DIFFERENCE = "same set of trials"
"""In Optuna's warning that so many trials are equally good that it cannot separate good ones."""


def propose(plan: SearchPlan, ended: Sequence[EndedTrial], count: int = 1) -> list[Trial]:
    """Return the next trials; none where the search has ended.

    They follow from the plan and the trials that have ended alone: the same records give the same proposals. The first
    trial of a search is the default. Where the best one is better than it beyond the chance of the validation images,
    the last two are both of them with another seed.

    Args:
        plan: of the search.
        ended: the trials so far, by number.
        count: most trials to propose; they are run before others are proposed.
    """
    repetitions = _repetitions(plan, ended) if ended else []
    if len(searched(ended)) < len(ended):
        return repetitions[:count]
    left = _left(plan, ended, len(repetitions))
    return _new_trials(plan, ended, min(count, left)) if left > 0 else repetitions[:count]


def _left(plan: SearchPlan, ended: Sequence[EndedTrial], repetitions: int) -> int:
    """Return how many trials with settings of their own may still be started.

    No clock is read, only the recorded times of the trials: a search that was killed continues as one that was not.
    Each trial counts as long as those that were not pruned.

    Args:
        plan: of the search.
        ended: the trials so far.
        repetitions: trials that come after them, by what is known so far.
    """
    left = [] if plan.trials is None else [plan.trials - len(ended)]
    if plan.length.seconds is not None and ended:
        complete = [trial.seconds for trial in ended if trial.state == "complete"]
        expected = mean(complete) if complete else plan.length.seconds_per_trial or 0.0
        spent = sum(trial.seconds for trial in ended)
        left.append(int((plan.length.seconds - spent) / max(expected, 1e-3)) - repetitions)
    return min(left, default=1)


def _new_trials(plan: SearchPlan, ended: Sequence[EndedTrial], count: int) -> list[Trial]:
    """Return trials with settings of their own."""
    floors = _floors(plan, ended)
    study = _study(plan, ended, seed=plan.default.seed + len(ended), pruned_as_complete=False)
    distributions = {name: _distribution(dimension) for name, dimension in plan.space.items()}
    tried = [trial.trial.params for trial in ended]
    proposed = []
    for number in range(len(ended), len(ended) + count):
        if number == 0:
            params, training = default_params(plan.space, plan.default), plan.default
        else:
            params = _new_point(study, distributions, tried)
            training = apply(params, plan.space, plan.default, plan.rates)
        tried.append(params)
        proposed.append(Trial(number=number, params=params, training=training, floors=floors))
    return proposed


def _repetitions(plan: SearchPlan, ended: Sequence[EndedTrial]) -> list[Trial]:
    """Return the default and the best trial with another seed, as far as they have not run; none where the best one may
    be better by chance."""
    rivals = list_rivals(plan, ended)
    if not rivals or not rivals[0].is_better:
        return []
    done = {trial.trial.repeats for trial in ended}
    trials = [trial for trial in (ended[0], rivals[0].trial) if trial.number not in done]
    return [
        Trial(
            number=len(ended) + index,
            params={},
            training=trial.trial.training.model_copy(update={"seed": trial.trial.training.seed + 1}),
            repeats=trial.number,
        )
        for index, trial in enumerate(trials)
    ]


def importances(plan: SearchPlan, ended: Sequence[EndedTrial]) -> dict[str, float]:
    """Return how much each setting of the space mattered, the most important first; they add up to 1.

    It is PED-ANOVA (Watanabe, Bansal and Hutter 2023) over the best scores of all trials, of those that were pruned
    by then. With a few dozen trials it is a hint. Empty where there are too few trials or no differences.
    """
    usable = [trial for trial in ended if trial.trial.params and trial.scores]
    if len(usable) < _LEAST_FOR_IMPORTANCES or len({max(trial.scores) for trial in usable}) < 2:
        return {}
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    study = _study(plan, usable, seed=0, pruned_as_complete=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    if any(_NO_DIFFERENCE in str(warning.message) for warning in caught):
        return {}
    return {name: value for name, value in found.items() if math.isfinite(value)}


def _floors(plan: SearchPlan, ended: Sequence[EndedTrial]) -> dict[int, float]:
    """Return the median of the best scores of the trials so far, by epoch; none after the last epoch."""
    floors = {}
    for epoch in range(math.ceil(_FIRST_FLOOR * plan.length.epochs), plan.length.epochs):
        values = [
            value
            for trial in ended
            if len(trial.scores) >= epoch
            and (value := trial.best(higher_is_better=plan.higher_is_better, epochs=epoch)) is not None
        ]
        if len(values) >= _COMPARED:
            floors[epoch] = median(values)
    return floors


def _study(plan: SearchPlan, ended: Sequence[EndedTrial], *, seed: int, pruned_as_complete: bool) -> Study:
    """Return a study of Optuna's that has seen the trials so far; it lives in memory only."""
    import optuna
    from optuna.samplers import TPESampler
    from optuna.trial import TrialState, create_trial

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        # The liar: of several trials that are proposed together, each keeps away from those before.
        sampler = TPESampler(seed=seed, n_startup_trials=_AT_RANDOM, constant_liar=True)
    study = optuna.create_study(direction="maximize" if plan.higher_is_better else "minimize", sampler=sampler)
    distributions = {name: _distribution(dimension) for name, dimension in plan.space.items()}
    for trial in ended:
        if not trial.trial.params:
            continue
        is_complete = trial.state == "complete" or pruned_as_complete
        # A failed trial has no scores: Optuna ranks it below all others.
        study.add_trial(
            create_trial(
                state=TrialState.COMPLETE if is_complete else TrialState.PRUNED,
                params=dict(trial.trial.params),
                distributions=distributions,
                value=trial.best(higher_is_better=plan.higher_is_better) if is_complete else None,
                intermediate_values=dict(enumerate(trial.scores)),
            )
        )
    return study


def _new_point(
    study: Study, distributions: dict[str, BaseDistribution], tried: Sequence[dict[str, SettingValue]]
) -> dict[str, SettingValue]:
    """Return a point that was not tried, as far as a few attempts find one."""
    params: dict[str, Any] = {}
    for _ in range(_ATTEMPTS):
        params = dict(study.ask(distributions).params)
        if params not in tried:
            break
    return params


def _distribution(dimension: Dimension) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(dimension, Range):
        return CategoricalDistribution(dimension)
    if isinstance(dimension.low, int) and isinstance(dimension.high, int) and not dimension.of_default:
        return IntDistribution(dimension.low, dimension.high, log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)
