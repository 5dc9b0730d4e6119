"""What a running fine-tune tells the outside: numbers to a tracker, one line an epoch to the log."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from transformers import ProgressCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

__all__ = ["EpochLines", "MetricSink", "ProgressBar", "Track"]

MetricSink = Callable[[Mapping[str, float], int], None]
"""Receives metrics by name and the optimizer step at which they were measured, while the training runs."""

logger = logging.getLogger(__name__)


class Track(TrainerCallback):
    """Hands every logged number to a sink as soon as it is there."""

    def __init__(self, sink: MetricSink) -> None:
        self._sink = sink

    def on_log(
        self,
        args: TrainingArguments,  # noqa: ARG002
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        logs: dict[str, Any] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Pass the numbers on."""
        self._sink({name: float(value) for name, value in (logs or {}).items()}, state.global_step)


class EpochLines(TrainerCallback):
    """Logs one line for each epoch, for terminals and files that a progress bar would litter."""

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002
        metrics: dict[str, float] | None = None,
        **kwargs: Any,  # noqa: ARG002
    ) -> None:
        """Log the losses of the epoch that has ended."""
        losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
        logger.info(
            "epoch %d/%d: loss %.4f, validation loss %.4f",
            round(state.epoch or 0),
            args.num_train_epochs,
            losses[-1] if losses else float("nan"),
            (metrics or {}).get("eval_loss", float("nan")),
        )


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
