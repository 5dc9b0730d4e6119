"""What a training on the CPU warns of."""

from __future__ import annotations

import pytest

from florence2.config import TrainingConfig
from florence2.training.fitting import _why_on_the_cpu


def test_bfloat16_without_a_gpu_is_advised_against(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("florence2.training.fitting.best_device", lambda: "cpu")
    monkeypatch.setattr("florence2.training.fitting.unseen_gpu", lambda: None)
    assert "set it to auto" in str(_why_on_the_cpu(TrainingConfig(precision="bfloat16")))
    assert _why_on_the_cpu(TrainingConfig()) is None
    monkeypatch.setattr("florence2.training.fitting.unseen_gpu", lambda: "the driver is too old: update it")
    assert _why_on_the_cpu(TrainingConfig()) == "training on the CPU: the driver is too old: update it"
