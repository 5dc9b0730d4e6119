"""``run_trial``: a training with the settings of a trial; and ``measure_pace``, before the first one."""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from florence2.config import EvaluationConfig, ModelConfig, TrainingConfig
from florence2.datasets import DatasetManifest
from florence2.errors import ConfigurationError, DivergedError, OutOfMemoryError
from florence2.evaluation import EpochEvaluator, describe, evaluate_split
from florence2.storage import write_atomic
from florence2.tuning.plan import Pace
from florence2.tuning.trial import EndedTrial, Trial

if TYPE_CHECKING:
    from florence2.model import Checkpoint
    from florence2.training import MetricSink

__all__ = ["TrialData", "measure_pace", "run_trial"]

logger = logging.getLogger(__name__)

_PACE_EPOCHS = 2


@dataclass(frozen=True)
class TrialData:
    """What all trials of a search share.

    Attributes:
        splits: the splits train and valid; no trial sees another one.
        model: the base.
        evaluation: how answers are generated and evaluated.
    """

    splits: DatasetManifest
    model: ModelConfig
    evaluation: EvaluationConfig

    def evaluator(self, training: TrainingConfig) -> EpochEvaluator:
        """Return what evaluates the epochs of a training."""
        return EpochEvaluator.of(self.splits.select("valid"), training, self.evaluation)


def run_trial(trial: Trial, data: TrialData, folder: Path) -> EndedTrial:
    """Train and evaluate on the validation split.

    Args:
        trial: the settings.
        data: what it trains on.
        folder: for the saves of the training; a trial that was killed continues from them. The caller removes it when
            he has stored the result.

    Raises:
        Florence2Error: the training failed for a reason that other settings do not prevent.
    """
    clock, evaluator = _Clock(folder / "seconds.json"), data.evaluator(trial.training)
    try:
        checkpoint = _fit(trial.training, data, folder, evaluator, clock, trial.floors)
    except (DivergedError, OutOfMemoryError) as exc:
        logger.warning("trial %d failed: %s", trial.number, exc)
        return EndedTrial(trial=trial, state="failed", scores=(), seconds=clock.total, failure=str(exc))
    scores = _scores(checkpoint, trial.training.best_by)
    floor, best = trial.floors.get(len(scores)), max(scores) if evaluator.higher_is_better else min(scores)
    # Where it has no floor there, its patience has ended it.
    is_pruned = floor is not None and (best < floor if evaluator.higher_is_better else best > floor)
    resampled = () if is_pruned else _resampled(checkpoint, trial.training.best_by, data)
    return EndedTrial(
        trial=trial,
        state="pruned" if is_pruned else "complete",
        scores=scores,
        seconds=clock.total,
        resampled=resampled,
    )


def measure_pace(training: TrainingConfig, data: TrialData, folder: Path, most_seconds: float) -> Pace:
    """Return the time of an epoch, by that of the second one.

    Args:
        training: the settings without a search.
        data: what is trained on.
        folder: for the saves; removed at the end.
        most_seconds: time of the search.

    Raises:
        ConfigurationError: the first steps show that the time is too short for a search.
    """
    started = time.monotonic()
    training, watch = training.model_copy(update={"epochs": _PACE_EPOCHS}), _Watch(most_seconds)
    _fit(training, data, folder, data.evaluator(training), watch, {})
    shutil.rmtree(folder, ignore_errors=True)
    first, second = watch.epochs
    return Pace(seconds_per_epoch=round(second - first, 2), spent=round(time.monotonic() - started, 1))


def _fit(
    training: TrainingConfig,
    data: TrialData,
    folder: Path,
    evaluator: EpochEvaluator,
    sink: MetricSink,
    floors: Mapping[int, float],
) -> Checkpoint:
    from florence2.training import Monitoring, RunStorage, fit  # takes seconds to import

    shutil.rmtree(folder / "checkpoint", ignore_errors=True)  # of a trial that was killed after its training
    return fit(
        data.splits,
        data.model,
        training,
        folder / "checkpoint",
        storage=RunStorage(folder, identity={**evaluator.identity, "floors": json.dumps(floors)}, keep=True),
        monitoring=Monitoring(sink=sink, evaluator=evaluator, floors=floors),
    )


def _scores(checkpoint: Checkpoint, score: str) -> tuple[float, ...]:
    from florence2.training import TrainingHistory

    history = TrainingHistory.of(checkpoint.history, round(checkpoint.epoch))
    return tuple(history.series("validation_loss" if score == "loss" else score).values())


def _resampled(checkpoint: Checkpoint, score: str, data: TrialData) -> tuple[float | None, ...]:
    """Return the score of the best epoch on resamples of the validation images."""
    if score == "loss":
        return ()
    evaluated = evaluate_split(checkpoint.load(), "trial", data.splits.select("valid"), data.evaluation)
    _, resamples = describe(evaluated, data.evaluation)
    if score not in resamples.scores:
        return ()
    return tuple(float(value) if math.isfinite(value) else None for value in resamples.scores[score].resampled)


class _Clock:
    """Counts the seconds of a trial, also over interruptions, up to the last epoch before each."""

    def __init__(self, file: Path) -> None:
        self._file, self._started = file, time.monotonic()
        self._before = json.loads(file.read_text(encoding="utf-8")) if file.exists() else 0.0

    @property
    def total(self) -> float:
        return float(round(self._before + time.monotonic() - self._started, 2))

    def __call__(self, numbers: Mapping[str, float], step: int) -> None:  # noqa: ARG002
        if "eval_loss" in numbers:
            write_atomic(self._file, json.dumps(self.total))


class _Watch:
    """Keeps the times at which epochs end, and ends a training that is too slow for the time of a search."""

    def __init__(self, most_seconds: float) -> None:
        self._most = most_seconds
        self._started: float | None = None
        self.epochs: list[float] = []

    def __call__(self, numbers: Mapping[str, float], step: int) -> None:
        now = time.monotonic()
        if "eval_loss" in numbers:
            self.epochs.append(now)
        if self._started is None:
            self._started = now
        elif now - self._started > self._most / 2:
            raise ConfigurationError(
                f"search.minutes: {self._most / 60:g} minutes are too few: {step} steps took "
                f"{now - self._started:.0f} s; give more minutes, or fewer samples"
            )
