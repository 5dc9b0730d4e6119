"""Waiting in tests ends when the condition holds, or can no longer hold."""

from __future__ import annotations

import pytest

from tests import waiting
from tests.waiting import wait_for


def test_the_condition_is_checked_until_it_holds() -> None:
    results = iter([False, False, True])
    wait_for(lambda: next(results), pause_seconds=0.0)
    assert list(results) == []


def test_it_says_what_has_ended() -> None:
    with pytest.raises(AssertionError, match="the port is taken"):
        wait_for(lambda: False, lambda: "the port is taken")


def test_it_ends_what_would_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "PATIENCE_SECONDS", 0.1)
    with pytest.raises(AssertionError, match="did not hold in time"):
        wait_for(lambda: False)
