"""Folders without free space or permission, and the little shared memory of a container."""

from __future__ import annotations

from pathlib import Path

import pytest

from florence2.doctor.disk import _shared_memory, check_disk, check_folder


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
