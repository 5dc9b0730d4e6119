"""The example of a rule: questions without a question mark."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from florence2.adapters import great_expectations
from florence2.cli import app
from tests.builders import annotation, write_dataset
from tests.rules import run_rules


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    prefixes = ["<VQA>Is it red", "<VQA>Is it red? ", "<OD>"]
    suffixes = ["yes", "yes", "cat<loc_1><loc_2><loc_300><loc_400>"]
    lines = [annotation(f"{n}.png", p, s) for n, (p, s) in enumerate(zip(prefixes, suffixes, strict=True))]
    return write_dataset(tmp_path, {"train": lines})


def test_the_command_applies_the_rule_with_the_outcome_of_the_configuration(
    questions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(great_expectations, "_run_rules", run_rules)
    command = ["validate", str(questions), "--rare-class=0", "--rules=image-nearly-in-two-splits=ignore"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    sentence = "train/annotations.jsonl:1: '<VQA>Is it red' has no question mark at its end"
    assert sentence in done.output
    assert done.output.count("question mark at its end") == 1
    assert CliRunner().invoke(app, [*command, "--rules=question-unmarked=fail"]).exit_code == 1


def test_great_expectations_calls_the_rule(questions: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    CliRunner().invoke(app, ["validate", str(questions), "--report", str(page)])
    assert "question-unmarked (warning): A question does not end with a question mark." in page.read_text()
    assert "has no question mark at its end" in page.read_text()
