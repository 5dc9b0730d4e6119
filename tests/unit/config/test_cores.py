"""The number of cores that this process may use."""

from __future__ import annotations

import os

import pytest

from florence2.config import core_count


def test_the_cores_of_the_process_count_and_not_those_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert core_count() == 2


def test_without_affinity_the_cores_of_the_machine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert core_count() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert core_count() == 1
