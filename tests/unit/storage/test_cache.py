"""The user's cache folder, and folders in it that are made once."""

from __future__ import annotations

import errno
from pathlib import Path

import platformdirs
import pytest

from florence2.errors import DatasetError
from florence2.storage.cache import cache_folder, make_once


def write_one(folder: Path) -> None:
    folder.mkdir()
    (folder / "content").write_text("one")


def test_the_variable_names_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder("index") == tmp_path / "relative" / "florence2" / "index"


def test_else_the_system_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = cache_folder("index")
    assert found == platformdirs.user_cache_path("florence2", appauthor=False) / "index"
    assert found.is_relative_to(tmp_path)


def test_a_user_without_a_home_folder_reads_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    with pytest.raises(DatasetError, match="no home folder for a cache; set XDG_CACHE_HOME"):
        cache_folder("index")


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "made"
    assert make_once(folder, write_one) == folder
    (folder / "content").write_text("edited")
    make_once(folder, write_one)
    assert (folder / "content").read_text() == "edited"
    make_once(folder, write_one, again=True)
    assert (folder / "content").read_text() == "one"
    assert [path.name for path in folder.parent.iterdir()] == ["made"]


def test_the_first_of_two_processes_wins(tmp_path: Path) -> None:
    def make_late(folder: Path) -> None:
        write_one(tmp_path / "made")
        folder.mkdir()

    make_once(tmp_path / "made", make_late)
    assert (tmp_path / "made" / "content").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_cache_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        write_one(folder)
        raise OSError(errno.ENOSPC, "disk full")

    with pytest.raises(DatasetError, match=r"made: cannot be written \(disk full\); free space, or set XDG_CACHE_HOME"):
        make_once(tmp_path / "made", fail)
    assert list(tmp_path.iterdir()) == []
