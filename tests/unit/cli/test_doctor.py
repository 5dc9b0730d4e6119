"""The command doctor, as typed: a table, JSON, commands to type, and the exit status."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from florence2 import doctor as health
from florence2.cli import app
from florence2.doctor import Check, Finding

PROBLEM = Finding("problem", "torch is missing: install torch==2.13.0", "pip install 'torch==2.13.0'")
SLOW = Finding("warning", "[red]brackets[/red] in a message", "do it")
FINE = Finding("ok", "all is well", "pip install extra")


def doctor(monkeypatch: pytest.MonkeyPatch, *words: str, found: dict[str, list[Finding]]) -> Result:
    monkeypatch.setattr(health, "known_checks", lambda: [Check(name, "none:none") for name in found])
    monkeypatch.setattr(health, "diagnose", lambda checks, done: [done(check) for check in checks] and found)
    return CliRunner().invoke(app, ["doctor", *words], env={"COLUMNS": "100"})


def test_a_problem_is_shown_with_what_to_do_and_ends_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    done = doctor(monkeypatch, found={"packages": [PROBLEM, SLOW], "gpu": [FINE]})
    assert done.exit_code == 1
    assert "torch is missing: install torch==2.13.0" in done.stdout
    assert "[red]brackets[/red]" in done.stdout
    assert "1 problem and 1 warning; florence2 doctor --fix-hints" in done.stdout
    assert "\x1b" not in done.stdout


def test_without_a_problem_it_ends_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    done = doctor(monkeypatch, found={"gpu": [FINE]})
    assert (done.exit_code, "no problems (" in done.stdout) == (0, True)
    assert doctor(monkeypatch, found={"gpu": [SLOW]}).exit_code == 0


def test_programs_read_json(monkeypatch: pytest.MonkeyPatch) -> None:
    done = doctor(monkeypatch, "--json", found={"packages": [PROBLEM], "gpu": [FINE]})
    content = json.loads(done.stdout)
    assert content["level"] == "problem"
    assert content["findings"][0] == {"check": "packages", **PROBLEM.to_dict()}
    assert content["findings"][-1]["check"] == "terminal"
    assert done.exit_code == 1


def test_hints_are_commands_alone_and_only_for_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    done = doctor(monkeypatch, "--fix-hints", found={"packages": [PROBLEM, PROBLEM, SLOW], "gpu": [FINE]})
    assert [line for line in done.stdout.splitlines() if "PYTHONUTF8" not in line] == [PROBLEM.fix, SLOW.fix]
