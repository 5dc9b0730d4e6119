"""The cores and the memory that a container allows, and the advice where they are few."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.doctor.machine import _cores, _memory, check_machine, cores_by_quota, memory_bytes

GIB = 2**30


def group(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")
    return folder


def test_a_container_of_either_kind_has_what_its_limits_leave(tmp_path: Path) -> None:
    new = group(
        tmp_path / "new",
        memory__max=str(3 * GIB),
        memory__current=str(2 * GIB),
        memory__stat=f"anon 5\ninactive_file {GIB}",
        cpu__max="150000 100000",
    )
    old = group(
        tmp_path / "old",
        memory__limit_in_bytes=str(GIB),
        memory__usage_in_bytes=str(GIB // 2),
        cpu__cfs_quota_us="50000",
        cpu__cfs_period_us="100000",
    )
    assert memory_bytes([new]) == (3 * GIB, 2 * GIB)
    assert memory_bytes([old, new]) == (GIB, GIB // 2)
    assert cores_by_quota([new]) == 1.5
    assert cores_by_quota([new, old]) == 0.5
    free = group(tmp_path / "free", memory__max="max", cpu__max="max 100000", cpu__cfs_quota_us="-1")
    assert cores_by_quota([free]) is None
    assert memory_bytes([free])[0] == memory_bytes([])[0] > GIB


def test_more_threads_than_cores_and_too_little_memory_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert _cores(64, 2.0).fix == "export OMP_NUM_THREADS=2"
    assert _cores(4, None).level == "ok"
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert _cores(64, 2.0).level == "ok"
    monkeypatch.setenv("OMP_NUM_THREADS", "4,2")
    assert "4 threads will compute" in _cores(64, 2.0).message
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert _cores(4, None).level == "ok"
    assert [_memory(8 * GIB, free).level for free in (GIB, 4 * GIB, 8 * GIB)] == ["problem", "warning", "ok"]
    assert [finding.level for finding in check_machine()]
