"""Checks in processes of their own, and what is made of what they found."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from florence2.doctor import Check, Finding, diagnose, known_checks, worst
from florence2.doctor.isolated import run_isolated

CHECKS = """
import os, sys, time
from florence2.doctor import Finding

def fine():
    print("chatter of a library")
    os.write(1, b"and of one in C")
    return [Finding("ok", "all is well"), Finding("warning", "slow", "be quick")]

def raises():
    raise OSError("disk is gone")

def dies():
    os._exit(11)

def hangs():
    time.sleep(60)

def nonsense():
    return ["text"]
"""


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "made_checks.py").write_text(textwrap.dedent(CHECKS))
    monkeypatch.syspath_prepend(tmp_path)
    return "made_checks"


def test_what_a_check_found_comes_back_and_its_chatter_does_not(checks: str) -> None:
    assert run_isolated(f"{checks}:fine", 30) == [Finding("ok", "all is well"), Finding("warning", "slow", "be quick")]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        ("raises", "OSError: disk is gone"),
        ("dies", "ended with status 11"),
        ("nonsense", "AttributeError"),
        ("missing", "AttributeError"),
    ],
)
def test_a_check_that_crashes_is_a_problem_and_no_traceback(checks: str, function: str, said: str) -> None:
    (found,) = run_isolated(f"{checks}:{function}", 30)
    assert found.level == "problem"
    assert said in found.message
    assert f"python -m florence2.doctor.isolated {checks}:{function}" in found.message
    assert "Traceback" not in found.message


def test_a_check_that_hangs_is_ended(checks: str) -> None:
    start = time.monotonic()
    (found,) = run_isolated(f"{checks}:hangs", 1.5)
    assert "no answer within 1.5 seconds" in found.message
    assert time.monotonic() - start < 20


def test_one_that_crashes_does_not_keep_the_others_from_ending(checks: str) -> None:
    ended: list[str] = []
    wanted = [Check("b", f"{checks}:dies", 30), Check("a", f"{checks}:fine", 20)]
    found = diagnose(wanted, done=lambda check: ended.append(check.name))
    assert list(found) == ["b", "a"]
    assert [found["b"][0].level, found["a"][0].level] == ["problem", "ok"]
    assert sorted(ended) == ["a", "b"]


def test_the_packages_above_bring_their_checks_by_entry_points() -> None:
    functions = {check.name: check.function for check in known_checks()}
    assert functions["zenml"] == "pipelines.stack_checks:check_stack"
    assert list(functions)[:3] == ["python", "packages", "extras"]


def test_the_worst_level_counts() -> None:
    assert worst([]) == "ok"
    assert worst(["ok", "problem", "warning"]) == "problem"
