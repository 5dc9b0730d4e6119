"""The options of ``train`` and ``evaluate``: made from the settings, and those that name a run, a model, an output."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from florence2 import cli, sdk
from florence2.evaluation.bootstrap import Interval
from florence2.evaluation.report import ModelEvaluation


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


@pytest.fixture
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Calls of ``sdk.evaluate``."""
    found: list[tuple[Any, ...]] = []

    def evaluate(model: str, configuration: Any, split: str, output: Path | None) -> ModelEvaluation:
        found.append((model, configuration.dataset.source, split, output))
        return ModelEvaluation("m", {"map50": 0.5}, seconds=2.0, intervals={"map50": Interval(0.4, 0.6)})

    monkeypatch.setattr(sdk, "evaluate", evaluate)
    return found


def test_a_model_is_evaluated_by_its_name_or_as_a_checkpoint(
    monkeypatch: pytest.MonkeyPatch,
    evaluations: list[tuple[Any, ...]],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed(monkeypatch, "evaluate", "--model", "builtin:nano", "--dataset", "D", "--split", "valid", "--output", "out")
    text = capsys.readouterr().out
    assert "0.500 (0.400 to 0.600)" in text
    assert f"report      {Path('out', 'report.html')}" in text
    typed(monkeypatch, "evaluate", f"--checkpoint={tmp_path}")
    assert "report " not in capsys.readouterr().out
    assert evaluations == [
        ("builtin:nano", "D", "valid", Path("out")),
        (str(tmp_path), "builtin:cards", "test", None),
    ]


def test_an_evaluation_can_be_read_by_a_program(
    monkeypatch: pytest.MonkeyPatch, evaluations: list[tuple[Any, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "evaluate", "--model", "m", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert printed["scores"] == {"map50": 0.5}
    assert printed["intervals"] == {"map50": {"low": 0.4, "high": 0.6, "level": 0.95}}
    assert printed["seconds"] == 2.0


@pytest.mark.parametrize("words", [(), ("--model", "m", "--checkpoint", ".")])
def test_the_model_to_evaluate_is_named_once(
    monkeypatch: pytest.MonkeyPatch,
    evaluations: list[tuple[Any, ...]],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    monkeypatch.setattr(sys, "argv", ["florence2", "evaluate", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert "--checkpoint" in capsys.readouterr().err
    assert not evaluations
