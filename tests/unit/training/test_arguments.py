"""A recipe becomes the arguments of the trainer: batches, steps, precision, loader processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from florence2.config import Configuration
from florence2.training.arguments import loader_workers, optimizer_steps, trainer_arguments, uses_bfloat16


@pytest.mark.parametrize(("micro_batch_size", "accumulated"), [(8, 3), (2, 12)])
def test_any_micro_batch_gives_the_batch_of_the_recipe(tmp_path: Path, micro_batch_size: int, accumulated: int) -> None:
    training = Configuration(batch_size=8, gradient_accumulation=3).training
    arguments = trainer_arguments(
        training,
        1e-3,
        tmp_path,
        rows=100,
        micro_batch_size=micro_batch_size,
        processes=1,
        best_by="map50",
        higher_is_better=True,
    )
    assert arguments.gradient_accumulation_steps == accumulated
    assert (arguments.metric_for_best_model, arguments.greater_is_better) == ("eval_map50", True)
    assert arguments.n_gpu <= 1


def test_the_last_smaller_batch_is_a_step_too() -> None:
    training = Configuration(epochs=3, batch_size=4, gradient_accumulation=2).training
    assert [optimizer_steps(rows, training) for rows in (8, 9, 16, 17)] == [3, 6, 6, 9]


def test_bfloat16_and_loader_processes_are_for_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    auto, forced = Configuration().training, Configuration(precision="bfloat16", loader_workers=3).training
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert (uses_bfloat16(auto), loader_workers(auto)) == (False, 0)
    assert (uses_bfloat16(forced), loader_workers(forced)) == (True, 3)
