"""``training.learning_rate: auto``: short trainings on the user's data choose the peak learning rate.

The rates are the default of the base and the strategy, and its halves and doubles. The validation loss after a short
training falls towards the best rate from both sides, so the search goes up or down from the default as long as that
helps. All short trainings have the same number of steps.

A short training is best at a higher rate than a long one, and the more so the shorter it is (Bjorck et al., Scaling
Optimal LR Across Token Horizons, arXiv 2409.19913). All of them have about the same part of the steps of the training,
so one factor corrects this: a short training runs at 2.5 times the rate that it stands for. ``docs/recipes.md`` has the
measurement.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from florence2.config import AUTO_RATE, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.model import base_fingerprint
from florence2.storage import write_file, writing
from florence2.training.arguments import optimizer_steps, samples_of_step
from florence2.training.fitting import run_identity
from florence2.training.job import Job
from florence2.training.launch import fit_into_memory, process_count
from florence2.training.monitoring import Monitoring
from florence2.training.rate_choice import RateChoice, RateTrial
from florence2.training.run_state import RunStorage
from florence2.training.short_training import ShortTrainings

__all__ = ["RateSearchPlan", "choose_learning_rate", "descend", "plan_rate_search", "read_rate_choice", "some_of"]

logger = logging.getLogger(__name__)

_BUDGET = 0.25
"""Largest part of the training that the search may cost."""

_HIGHER = 2.5
"""By which the rate of a short training is higher than the one that it stands for."""

_WORTH = 0.95
"""Part of a loss below which another one has fallen: less is as likely to be noise, and the default is safer."""

_FURTHEST = 3
"""Halvings or doublings of the default that are tried at most."""

_MOST_TRIALS = _FURTHEST + 2
"""The default, three rates in the better direction, and one in the other."""

_VALIDATED = 128
"""Most samples of the validation split."""

_OF_VALIDATION = 0.2
"""Largest part of the search that is spent on the validation."""

_SAMPLE_COST = 0.5
"""Time to validate a sample, where that of training on it is 1: there is no backward pass."""

_LEAST_STEPS, _LEAST_SAMPLES = 10, 8
"""Of a short training, and of its validation: fewer show nothing."""


@dataclass(frozen=True)
class RateSearchPlan:
    """What a search costs at most, counted before it begins.

    Attributes:
        trials: short trainings.
        steps: of each short training.
        validated: samples of the validation split on which each of them, and the base, is validated.
        share: the cost of all this, as a part of the steps of the training.
    """

    trials: int
    steps: int
    validated: int
    share: float


def plan_rate_search(train: int, valid: int, training: TrainingConfig) -> RateSearchPlan | None:
    """Return what a search costs; None where the training is too short for one.

    It runs in one process: where several train together, it has a part of their steps only.

    Args:
        train: number of samples of the training split.
        valid: number of samples of the validation split.
        training: the recipe.
    """
    in_step = samples_of_step(training)
    total = optimizer_steps(train, training) * in_step / process_count(training)
    validations = _MOST_TRIALS + 1  # that of the base, too
    validated = min(valid, _VALIDATED, int(_OF_VALIDATION * _BUDGET * total / (_SAMPLE_COST * validations)))
    validating = _SAMPLE_COST * validations * validated
    steps = int((_BUDGET * total - validating) / (_MOST_TRIALS * in_step))
    if steps < _LEAST_STEPS or validated < max(1, min(valid, _LEAST_SAMPLES)):
        return None
    return RateSearchPlan(_MOST_TRIALS, steps, validated, (_MOST_TRIALS * steps * in_step + validating) / total)


def choose_learning_rate(
    splits: DatasetManifest,
    model: ModelConfig,
    training: TrainingConfig,
    file: Path,
    identity: Mapping[str, str] | None = None,
) -> RateChoice:
    """Choose the learning rate of a training by short ones.

    The same inputs choose the same rate; on the CPU the losses are equal to the bit. A search that was killed does not
    repeat the short trainings that had ended.

    Args:
        splits: a clean manifest with splits.
        model: the base to start from.
        training: the recipe.
        file: for the losses as JSON; written after each short training.
        identity: what the result depends on besides the data, the base and the recipe, by name.

    Returns:
        The rate and its reason; nothing where the setting is not ``auto``.

    Raises:
        DatasetError: an answer or a prompt is too long.
        ModelError: the base cannot be loaded.
        OutOfMemoryError: not even one sample fits.
        ConfigurationError: the file cannot be written, or the batch cannot be divided among the processes.
    """
    if training.learning_rate != AUTO_RATE:
        return RateChoice()
    train, valid = splits.select("train"), splits.select("valid")
    plan = plan_rate_search(len(train), len(valid), training)
    if plan is None:
        steps = optimizer_steps(len(train), training)
        return RateChoice(reason=f"the default: a training of {steps:,} steps is too short to search for a better one")
    fingerprint = base_fingerprint(model)
    recorded = _Recorded(file, {**run_identity(splits, fingerprint, training), **(identity or {}), "plan": str(plan)})
    if recorded.choice is None:
        job = Job(
            train=some_of(train, plan.steps * samples_of_step(training), training.seed),
            valid=some_of(valid, plan.validated, training.seed),
            model=model,
            fingerprint=fingerprint,
            training=training.model_copy(update={"learning_rate": None, "patience": None}),
            storage=RunStorage(file.parent),
            monitoring=Monitoring(),
            processes=1,
        )
        recorded.end(fit_into_memory(lambda size: _search(job, size, plan, recorded), training.batch_size, 1))
    assert recorded.choice is not None
    return recorded.choice


def read_rate_choice(file: Path) -> RateChoice:
    """Return what a search that has ended wrote into its file; nothing where there is none."""
    return _Recorded(file, None).choice or RateChoice()


def descend(loss_at: Callable[[int], float]) -> tuple[int, dict[int, float]]:
    """Search the minimum of a function of whole numbers that falls towards it from both sides, from 0 on.

    Far above the best rate, where nothing is learnt, the loss need not fall with the rate: downwards the search ends
    only after two values that are no lower.

    Args:
        loss_at: the function, infinite where a training diverges; where it is so at 0, the minimum is further down.

    Returns:
        The position of the minimum, and the values that were needed.
    """
    found = {0: loss_at(0)}

    def falls(position: int, before: int) -> bool:
        found[position] = loss_at(position)
        return found[position] < _WORTH * found[before] or (math.isinf(found[before]) and position < before)

    at = -1 if falls(-1, 0) else 0
    if at == 0 and falls(1, 0):
        at = 1
        while at < _FURTHEST and falls(at + 1, at):
            at += 1
        return at, found
    for position in range(-2, -_FURTHEST - 1, -1):
        if at - position <= 2 and falls(position, at):
            at = position
    return at, found


def _search(job: Job, micro_batch_size: int, plan: RateSearchPlan, recorded: _Recorded) -> RateChoice:
    trainings = ShortTrainings(job, micro_batch_size)
    default = trainings.default_rate
    logger.info("learning rate: at most %d trainings of %d steps, around %g", plan.trials, plan.steps, default)

    def loss_at(position: int) -> float:
        rate = default * 2.0**position
        return recorded.loss(rate, lambda: trainings.loss_of(_HIGHER * rate, plan.steps))

    base = recorded.loss(0.0, lambda: trainings.loss_of(default, 0))
    at, found = descend(loss_at)
    trials = {each: RateTrial(learning_rate=default * 2.0**each, loss=_finite(found[each])) for each in sorted(found)}
    return RateChoice(
        learning_rate=trials[at].learning_rate,
        reason=_reason(trials[at], list(trials.values()), plan.steps),
        steps=plan.steps,
        base_loss=_finite(base),
        trials=tuple(trials.values()),
    )


def _reason(chosen: RateTrial, trials: Sequence[RateTrial], steps: int) -> str:
    of = f"{chosen.learning_rate:g} of {len(trials)} tried"
    if chosen.loss is None:
        return f"{of}: all diverged within {steps} steps"
    others = [(trial.loss, trial.learning_rate) for trial in trials if trial is not chosen and trial.loss is not None]
    next_best = "next {:.4g} at {:g}".format(*min(others)) if others else "the others diverged"
    return f"{of}: validation loss {chosen.loss:.4g} after {steps} steps at {_HIGHER:g} times the rate; {next_best}"


def some_of(split: DatasetManifest, count: int, seed: int) -> DatasetManifest:
    """Return so many random rows of a split, in their order."""
    if count >= len(split):
        return split
    return split.replace_rows(split.table.iloc[np.sort(np.random.default_rng(seed).permutation(len(split))[:count])])


class _Recorded:
    """The losses of a search by rate, and its result, in a JSON file.

    Args:
        file: it need not exist; one of another search is replaced.
        identity: of this search; None accepts any.
    """

    def __init__(self, file: Path, identity: Mapping[str, str] | None) -> None:
        self._file, self._identity = file, identity
        self._losses: dict[float, float] = {}
        self.choice: RateChoice | None = None
        try:
            content: Any = json.loads(file.read_text(encoding="utf-8"))
            if identity in (None, content["identity"]):
                losses = content["losses"].items()
                self._losses = {float(rate): math.inf if loss is None else float(loss) for rate, loss in losses}
                self.choice = RateChoice(**content["choice"]) if content["choice"] else None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ValidationError):
            self._losses = {}

    def loss(self, rate: float, compute: Callable[[], float]) -> float:
        """Return the loss of a rate, 0 for the base; it is computed and written where it is not known."""
        if rate not in self._losses:
            self._losses[rate] = compute()
            self._write()
        return self._losses[rate]

    def end(self, choice: RateChoice) -> None:
        """Write the result."""
        self.choice = choice
        self._write()

    def _write(self) -> None:
        content = {
            "identity": self._identity,
            "losses": {str(rate): _finite(loss) for rate, loss in self._losses.items()},
            "choice": self.choice.model_dump() if self.choice else None,
        }
        with writing(self._file, "free space"):
            self._file.parent.mkdir(parents=True, exist_ok=True)
        write_file(self._file, json.dumps(content, indent=2) + "\n", "free space")


def _finite(loss: float) -> float | None:
    return loss if math.isfinite(loss) else None
