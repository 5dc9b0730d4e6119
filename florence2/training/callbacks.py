"""What a running fine-tune reports: values to a tracker, one line for each epoch to the log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Mapping
from typing import Any

import torch
from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from florence2.training.monitoring import MetricSink

__all__ = ["EpochLines", "Floors", "Patience", "ProgressBar", "Track", "memory_gib"]

logger = logging.getLogger(__name__)

_SECONDS_BETWEEN_LINES = 30.0
_SCORES_IN_A_LINE = 3
_NO_SCORES = ("_loss", "_runtime", "_per_second")


class Track(TrainerCallback):
    """Passes every logged value to a sink at once, with the current pace and memory.

    Args:
        sink: receives the values.
        batch_size: samples of a step over all processes and accumulated batches.
    """

    def __init__(self, sink: MetricSink, batch_size: int) -> None:
        self._sink = sink
        self._batch_size = batch_size
        self._since: tuple[int, float] | None = None

    def on_step_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Start the clock, which does not run during validation and saves."""
        if self._since is None:
            self._since = state.global_step, time.monotonic()

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Pass the values to the sink."""
        numbers = {name: float(value) for name, value in (logs or {}).items()}
        if "loss" in numbers and self._since is not None:
            step, started = self._since
            seconds = max(time.monotonic() - started, 1e-9)
            numbers["images_per_second"] = (state.global_step - step) * self._batch_size / seconds
            numbers["memory_gib"] = memory_gib()
            self._since = None
        self._sink(numbers, state.global_step)


def memory_gib() -> float:
    """Return the peak memory so far: of the GPU where there is one, else of this process."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 2**30
    try:
        import resource
    except ImportError:
        return float("nan")
    # In KiB, on a Mac in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**30 if sys.platform == "darwin" else 2**20)


class _Ending(TrainerCallback):
    """Ends a training after the validation of an epoch."""

    def is_over(self, args: TrainingArguments, state: TrainerState) -> bool:
        """Return whether the training ends here, by the scores of its epochs so far."""
        raise NotImplementedError

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Stop where it is over. The trainer itself counts this epoch only after this call."""
        if self.is_over(args, state):
            logger.info("%s: the training ends", self)
            control.should_training_stop = True


class Patience(_Ending):
    """Ends a training that no longer improves.

    Args:
        epochs: number of epochs without a new best one after which it ends.
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs

    def __str__(self) -> str:
        return f"no better epoch for {self._epochs} epochs"

    def is_over(self, args: TrainingArguments, state: TrainerState) -> bool:
        """Return whether so many epochs have passed."""
        scores = _scores(args, state)
        best = max if args.greater_is_better else min
        return bool(scores) and len(scores) - 1 - scores.index(best(scores)) >= self._epochs


class Floors(_Ending):
    """Ends a training whose best epoch so far is worse than it must be.

    Args:
        floors: the score that the best epoch must have by then, by number of the epoch.
    """

    def __init__(self, floors: Mapping[int, float]) -> None:
        self._floors = floors

    def __str__(self) -> str:
        return "the best epoch so far is worse than that of half of the trials before"

    def is_over(self, args: TrainingArguments, state: TrainerState) -> bool:
        """Return whether the best epoch so far is worse than the floor of this epoch."""
        scores = _scores(args, state)
        floor = self._floors.get(len(scores))
        if floor is None:
            return False
        return max(scores) < floor if args.greater_is_better else min(scores) > floor


def _scores(args: TrainingArguments, state: TrainerState) -> list[float]:
    """Return the score that chooses the best epoch, of each epoch so far."""
    return [entry[name] for entry in state.log_history if (name := args.metric_for_best_model or "") in entry]


class EpochLines(TrainerCallback):
    """Logs one line for each epoch, and further lines within a long one where there is no progress bar.

    Args:
        between: whether to log between epochs.
    """

    def __init__(self, *, between: bool = False) -> None:
        self._between = between
        self._since = self._logged_at = 0.0
        self._first_step = 0

    def on_train_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Start the clock."""
        self._since = self._logged_at = time.monotonic()
        self._first_step = state.global_step

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Log the progress, and the time that is left."""
        now = time.monotonic()
        if not self._between or now - self._logged_at < _SECONDS_BETWEEN_LINES:
            return
        self._logged_at = now
        left = (now - self._since) / (state.global_step - self._first_step) * (state.max_steps - state.global_step)
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        loss = f", loss {losses[-1]:.4f}" if losses else ""
        logger.info("step %d/%d%s, about %s left", state.global_step, state.max_steps, loss, _duration(left))

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        metrics: dict[str, float] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Log the losses of the epoch that has ended, and the score that chooses the best epoch, else the first
        scores."""
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        parts = [f"loss {losses[-1]:.4f}"] if losses else []
        parts.append(f"validation loss {(metrics or {}).get('eval_loss', float('nan')):.4f}")
        chosen = args.metric_for_best_model or ""
        scores = [name for name in metrics or {} if name.startswith("eval_") and not name.endswith(_NO_SCORES)]
        shown = [chosen] if chosen in scores else scores[:_SCORES_IN_A_LINE]
        parts += [f"{name.removeprefix('eval_')} {(metrics or {})[name]:.4f}" for name in shown]
        epoch = f"epoch {round(state.epoch or 0)}/{args.num_train_epochs:g}" if state.global_step else "base"
        logger.info("%s: %s", epoch, ", ".join(parts))
        self._logged_at = time.monotonic()


def _duration(seconds: float) -> str:
    """Return a time in words: 40 s, 12 min, 3 h 20 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


class ProgressBar(ProgressCallback):
    """The trainer's progress bar without its lines of Python dictionaries, which ``EpochLines`` replaces."""

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Print nothing."""
