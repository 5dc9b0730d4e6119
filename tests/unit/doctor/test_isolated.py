"""A check in a process of its own: its findings, and how one that crashes or hangs is reported."""

from __future__ import annotations

import time

import pytest

from florence2.doctor import Finding
from florence2.doctor.isolated import run_isolated


def test_findings_are_returned_and_what_libraries_print_is_not(checks: str) -> None:
    assert run_isolated(f"{checks}:fine", 30) == [Finding("ok", "all is well"), Finding("warning", "slow", "be quick")]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("raises", "OSError: disk is gone"),
        ("dies", "ended with status 11"),
        ("nonsense", "AttributeError"),
        ("missing", "AttributeError"),
    ],
)
def test_a_check_that_crashes_is_a_problem_and_no_traceback(checks: str, function: str, message: str) -> None:
    (found,) = run_isolated(f"{checks}:{function}", 30)
    assert found.level == "problem"
    assert message in found.message
    assert f"python -m florence2.doctor.isolated {checks}:{function}" in found.message
    assert "Traceback" not in found.message


def test_a_check_that_hangs_is_ended(checks: str) -> None:
    start = time.monotonic()
    (found,) = run_isolated(f"{checks}:hangs", 1.5)
    assert "no answer within 1.5 seconds" in found.message
    assert time.monotonic() - start < 20
