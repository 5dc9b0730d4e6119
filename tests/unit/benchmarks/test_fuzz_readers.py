"""Damaged data sets give rows or the project's own error; a short run of the benchmark."""

from __future__ import annotations

import pytest

import benchmarks.fuzz_readers
from benchmarks.fuzz_readers import fuzz, known_formats


def test_no_damage_gives_anything_but_rows_or_the_projects_own_error() -> None:
    result = fuzz(200, seed=1)
    assert result.failures == []
    assert result.read.total() + result.refused.total() == 200
    assert {"coco", "easy-vqa", "sroie"} <= set(known_formats())
    assert all(result.read[name] for name in known_formats())


def test_what_is_not_the_projects_own_error_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(root: object, format: str, *, formats: object) -> None:
        raise KeyError("surprise")

    monkeypatch.setattr(benchmarks.fuzz_readers, "read_dataset", crash)
    result = fuzz(50, seed=0)
    assert len(result.failures) == 10
    assert "KeyError: 'surprise'" in result.failures[0]
