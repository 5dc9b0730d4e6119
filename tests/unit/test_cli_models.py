"""The options of ``train``: made from the settings, and ``--resume`` with a folder or without one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from florence2 import cli, sdk


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Calls of ``sdk.train``, which ends there."""
    found: list[tuple[Any, ...]] = []

    def train(configuration: Any, output: Path, *, resume: Any) -> None:
        found.append((configuration, output, resume))
        raise SystemExit(0)

    monkeypatch.setattr(sdk, "train", train)
    return found


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> None:
    monkeypatch.setattr(sys, "argv", ["florence2", *words])
    with pytest.raises(SystemExit):
        cli.main()


@pytest.mark.parametrize(
    ("words", "resume"),
    [
        ((), False),
        (("--resume",), True),
        (("--resume", "--output", "x"), True),
        (("--resume", "runs/3"), "runs/3"),
        (("--resume=runs/3",), "runs/3"),
    ],
)
def test_resume_may_name_a_run(
    monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]], words: tuple[str, ...], resume: Any
) -> None:
    typed(monkeypatch, "train", "--epochs", "3", *words)
    ((configuration, _, found),) = calls
    assert found == resume
    assert configuration.training.epochs == 3


def test_a_switch_can_be_turned_off(monkeypatch: pytest.MonkeyPatch, calls: list[tuple[Any, ...]]) -> None:
    typed(monkeypatch, "train", "--group-by-length", "--no-gradient-checkpointing", "--lora-targets", "x")
    typed(monkeypatch, "train", "--group-by-length", "--no-gradient-checkpointing", "--targets", "language")
    ((configuration, _, _),) = calls
    assert configuration.training.group_by_length
    assert not configuration.training.engine.gradient_checkpointing
    assert "gradient_checkpointing" in configuration.training.engine.model_fields_set
    assert configuration.training.lora.targets == "language"
