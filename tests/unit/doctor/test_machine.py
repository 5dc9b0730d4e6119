"""Cores, memory, disks, GPUs, terminal: what a check makes of a machine that is short of something."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.doctor.disk import _shared_memory, check_disk, check_folder
from florence2.doctor.machine import _cores, _memory, check_machine, cores_by_quota, memory_bytes
from florence2.doctor.smoke import check_smoke, is_right
from florence2.doctor.terminal import check_terminal
from tests.builders import detections

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


def test_more_threads_than_cores_and_too_little_memory_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_a_folder_without_room_or_permission_is_a_problem(tmp_path: Path) -> None:
    fine = check_folder("runs", tmp_path / "not" / "yet", 0.0, 0.0, "give another")
    assert fine.level == "ok"
    assert not (tmp_path / "not").exists()
    assert check_folder("runs", tmp_path, 1e9, 0.0, "give another").level == "warning"
    full = check_folder("runs", tmp_path, 1e9, 1e9, "give another")
    assert full.level == "problem"
    assert full.message.endswith("free space, or give another")
    (tmp_path / "file").write_text("")
    assert "is a file where a folder is needed" in check_folder("c", tmp_path / "file" / "x", 0, 0, "do").message
    assert "/proc cannot be written" in check_folder("cache", Path("/proc/florence2"), 0, 0, "give another").message


def test_a_cache_without_a_home_is_a_problem(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert check_disk()[0].message.startswith(f"cache: {tmp_path / 'cache' / 'florence2'}")
    assert _shared_memory(tmp_path) == []
    monkeypatch.setattr("florence2.doctor.disk._SHARED_GIB", 1e9)
    assert "--shm-size=2g" in _shared_memory(tmp_path)[0].message


def test_the_model_names_and_finds_what_was_drawn() -> None:
    (found,) = check_smoke()
    assert found.level == "ok", found.message


def test_an_answer_is_right_by_name_and_place() -> None:
    drawn = detections(("red star", 10, 10, 30, 30))
    assert is_right(detections(("red star", 12, 10, 30, 30)), drawn)
    assert not is_right(detections(("red ring", 12, 10, 30, 30)), drawn)
    assert not is_right(detections(("red star", 25, 25, 40, 40)), drawn)
    assert not is_right(None, drawn)


def test_a_terminal_without_unicode_is_told() -> None:
    assert check_terminal("utf-8")[0].level == "ok"
    assert check_terminal("ascii")[0].fix == check_terminal(None)[0].fix == "export PYTHONUTF8=1"
