"""The engine with a stopwatch: ``fit`` as users call it, with the time of each step recorded."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from transformers import TrainerCallback

from benchmarks.stopwatch import Spent, Stopwatch
from florence2.config import ModelConfig, TrainingConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.model.checkpoint import Checkpoint
from florence2.training import job
from florence2.training.callbacks import memory_gib
from florence2.training.fitting import fit
from florence2.training.trainer import FineTuner

__all__ = ["Clock", "timed_fit"]


@dataclass
class Clock(TrainerCallback):
    """Measures the steps of each epoch, the loading of their batches included; validation and saves are left out.

    Attributes:
        epochs: what each step took, by epoch.
        peak_gib: most memory of the process up to the end of the last epoch's steps.
    """

    epochs: list[list[Spent]] = field(default_factory=list)
    peak_gib: float = 0.0
    _watch: Stopwatch = field(default_factory=Stopwatch)

    def on_epoch_begin(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Start."""
        self.epochs.append([])
        self._watch = Stopwatch()

    def on_step_end(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Write down a step; the next begins with the loading of its batch."""
        self.epochs[-1].append(self._watch.lap())

    def on_epoch_end(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Look at the memory before the validation adds to it."""
        self.peak_gib = memory_gib()


def timed_fit(
    splits: DatasetManifest, model: ModelConfig, training: TrainingConfig, output: Path
) -> tuple[Checkpoint, Clock]:
    """Fine-tune and measure.

    Args:
        splits: as ``fit`` takes them.
        model: the base.
        training: the recipe.
        output: folder for the checkpoint.
    """
    clock = Clock()

    class TimedTuner(FineTuner):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.add_callback(clock)

    with patch.object(job, "FineTuner", TimedTuner):
        return fit(splits, model, training, output), clock
