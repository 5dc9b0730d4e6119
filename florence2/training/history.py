"""The course of a training as typed records: one for each epoch, one for each line that was logged between."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

__all__ = ["BaseRecord", "EpochRecord", "StepRecord", "TrainingHistory"]

_EVAL = "eval_"
_PACE = ("_runtime", "_per_second")


@dataclass(frozen=True)
class BaseRecord:
    """The base model on the validation split, before the first step.

    Attributes:
        validation_loss: mean cross-entropy (nats) over all tokens of the answers.
        metrics: scores of the tasks; empty where they were not measured.
    """

    validation_loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepRecord:
    """One line that was logged between epochs.

    Attributes:
        step: optimizer steps done.
        epoch: epochs done, such as 1.25.
        loss: mean training loss since the record before.
        learning_rate: at this step.
        gradient_norm: of the last step, before it was clipped.
        seconds: wall clock that the training has run by then, without the pauses of a run that was interrupted;
            None where it is not known.
    """

    step: int
    epoch: float
    loss: float
    learning_rate: float
    gradient_norm: float
    seconds: float | None = None


@dataclass(frozen=True)
class EpochRecord:
    """An epoch, with its validation.

    Attributes:
        epoch: its number, from 1.
        step: optimizer steps done at its end.
        loss: mean training loss of the steps that were logged within it; NaN where none was.
        validation_loss: mean cross-entropy (nats) over all tokens of the answers of the validation split.
        learning_rate: at the last of these steps; NaN where none was logged.
        metrics: scores of the tasks on the validation split; empty where they were not measured.
        seconds: wall clock that the training has run by then, see ``StepRecord``.
    """

    epoch: int
    step: int
    loss: float
    validation_loss: float
    learning_rate: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float | None = None


@dataclass(frozen=True)
class TrainingHistory:
    """The course of a training.

    Attributes:
        epochs: one record for each epoch that was finished.
        steps: what was logged between, some five records an epoch.
        base: the base on the validation split; None where it was not measured.
        best_epoch: number of the epoch that was kept.

    Example:
        >>> first = EpochRecord(1, 10, 2.0, 1.5, 1e-4, {"map50": 0.3})
        >>> second = EpochRecord(2, 20, 1.0, 1.2, 1e-5, {"map50": 0.5})
        >>> history = TrainingHistory((first, second), best_epoch=2)
        >>> history.best.metrics["map50"]
        0.5
        >>> history.series("validation_loss")
        {1: 1.5, 2: 1.2}
    """

    epochs: tuple[EpochRecord, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    base: BaseRecord | None = None
    best_epoch: int = 0

    @property
    def best(self) -> EpochRecord:
        """Return the epoch that was kept.

        Raises:
            LookupError: no epoch was finished.
        """
        for record in self.epochs:
            if record.epoch == self.best_epoch:
                return record
        raise LookupError("no epoch of this training was finished")

    @property
    def measured(self) -> tuple[str, ...]:
        """Return the names of the scores that were measured on the validation split, without the loss."""
        return tuple(dict.fromkeys(name for record in self.epochs for name in record.metrics))

    def series(self, name: str) -> dict[int, float]:
        """Return the values of a score by epoch: of the tasks, or ``loss``, ``validation_loss``, ``learning_rate``."""
        if name in ("loss", "validation_loss", "learning_rate"):
            return {record.epoch: getattr(record, name) for record in self.epochs}
        return {record.epoch: record.metrics[name] for record in self.epochs if name in record.metrics}

    def base_value(self, name: str) -> float | None:
        """Return the value of a score for the base; None where it was not measured."""
        if self.base is None:
            return None
        return self.base.validation_loss if name == "validation_loss" else self.base.metrics.get(name)

    def to_dict(self) -> dict[str, Any]:
        """Return the records for JSON; NaN and infinity become None."""
        content: dict[str, Any] = _plain(asdict(self))
        return content

    @classmethod
    def of(cls, entries: Sequence[Mapping[str, float]], best_epoch: int = 0) -> TrainingHistory:
        """Return the records of what a trainer logged.

        Args:
            entries: in order; each holds ``step``, and ``loss`` or ``eval_loss``. An interrupted run leaves
                several for one step: the last one counts, and those of later steps before it do not.
            best_epoch: number of the epoch that was kept.
        """
        steps: list[StepRecord] = []
        epochs: list[EpochRecord] = []
        base = None
        for entry in _last_of_each(entries):
            if "eval_loss" in entry and not entry["step"]:
                base = BaseRecord(entry["eval_loss"], _scores(entry))
            elif "eval_loss" in entry:
                epochs.append(_epoch(entry, [step for step in steps if step.step > (epochs[-1].step if epochs else 0)]))
            else:
                steps.append(_step(entry))
        return cls(tuple(epochs), tuple(steps), base, best_epoch)


def _last_of_each(entries: Sequence[Mapping[str, float]]) -> list[Mapping[str, float]]:
    kept: list[tuple[tuple[int, bool], Mapping[str, float]]] = []
    for entry in entries:
        if "loss" not in entry and "eval_loss" not in entry:
            continue
        position = int(entry["step"]), "eval_loss" in entry
        # An interrupted run continues from an earlier save: what it had logged after that is logged again.
        while kept and kept[-1][0] >= position:
            kept.pop()
        kept.append((position, entry))
    return [entry for _, entry in kept]


def _step(entry: Mapping[str, float]) -> StepRecord:
    nan = float("nan")
    return StepRecord(
        step=int(entry["step"]),
        epoch=float(entry.get("epoch", nan)),
        loss=float(entry["loss"]),
        learning_rate=float(entry.get("learning_rate", nan)),
        gradient_norm=float(entry.get("grad_norm", nan)),
        seconds=entry.get("seconds"),
    )


def _epoch(entry: Mapping[str, float], steps: Sequence[StepRecord]) -> EpochRecord:
    nan = float("nan")
    return EpochRecord(
        epoch=round(entry["epoch"]),
        step=int(entry["step"]),
        loss=math.fsum(step.loss for step in steps) / len(steps) if steps else nan,
        validation_loss=float(entry["eval_loss"]),
        learning_rate=steps[-1].learning_rate if steps else nan,
        metrics=_scores(entry),
        seconds=entry.get("seconds"),
    )


def _scores(entry: Mapping[str, float]) -> dict[str, float]:
    return {
        name.removeprefix(_EVAL): float(value)
        for name, value in entry.items()
        if name.startswith(_EVAL) and name != "eval_loss" and not name.endswith(_PACE)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
