"""The index: a value is known as long as its file does not change, and errors of the index have no effect."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.storage.file_index import FileIndex, is_settled, stamp_of


def test_a_value_holds_for_its_stamp_and_kind(tmp_path: Path) -> None:
    with FileIndex(tmp_path / "deep" / "i.sqlite") as index:
        index.store("hash", {"a": ("1", "x"), "b": ("1", "y")})
        index.store("hash", {"b": ("2", "z")})
    with FileIndex(tmp_path / "deep" / "i.sqlite") as index:
        assert index.lookup("hash", {"a": "1", "b": "2", "c": "1"}) == {"a": "x", "b": "z"}
        assert index.lookup("hash", {"a": "2", "b": "1"}) == {}
        assert index.lookup("probe", {"a": "1"}) == {}


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.binary(min_size=1, max_size=8).map(os.fsdecode), st.text(max_size=5), max_size=20))
def test_a_stored_value_is_found(values: dict[str, str]) -> None:
    values = {name: value.encode("utf-8", "replace").decode() for name, value in values.items()}
    with FileIndex(None) as index:
        index.store("k", {name: ("s", value) for name, value in values.items()})
        assert index.lookup("k", dict.fromkeys(values, "s")) == values


def test_more_names_than_a_query_holds(tmp_path: Path) -> None:
    names = [str(number) for number in range(1700)]
    with FileIndex(tmp_path / "i.sqlite") as index:
        index.store("k", {name: ("s", name) for name in names})
        assert index.lookup("k", dict.fromkeys(names, "s")) == dict(zip(names, names, strict=True))


@pytest.mark.parametrize("damage", ["text", "middle", "table"])
def test_a_damaged_index_is_replaced(tmp_path: Path, damage: str) -> None:
    file = tmp_path / "i.sqlite"
    many = {f"{number:04}": ("s", "v" * 100) for number in range(500)}
    with FileIndex(file) as index:
        index.store("k", many)
    if damage == "text":
        file.write_text("this is not a database, and long enough to be taken for one" * 30)
    elif damage == "middle":
        data = bytearray(file.read_bytes())
        data[4096:] = os.urandom(len(data) - 4096)
        file.write_bytes(data)
    else:
        with sqlite3.connect(file) as connection:
            connection.execute("DROP TABLE found_1")
            connection.execute("CREATE TABLE found_1 (other)")
        connection.close()
    with FileIndex(file) as index:
        assert index.lookup("k", dict.fromkeys(many, "s")) == {}
        index.store("k", {"a": ("s", "new")})
    with FileIndex(file) as index:
        assert index.lookup("k", {"a": "s"}) == ({} if damage == "table" else {"a": "new"})


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with FileIndex.of(tmp_path) as index:
        index.store("k", {"a": ("s", "v")})
        assert index.lookup("k", {"a": "s"}) == {"a": "v"}  # in memory
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # as for a user without a home folder
    with FileIndex.of(tmp_path) as index:
        assert index.lookup("k", {"a": "s"}) == {}


def test_a_locked_index_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "i.sqlite"
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda name, timeout: connect(name, timeout=0.01))
    with FileIndex(file) as index:
        index.store("k", {"a": ("s", "v")})
        other = connect(file)
        other.execute("BEGIN EXCLUSIVE")
        index.store("k", {"b": ("s", "v")})
        assert index.lookup("k", {"a": "s"}) == {}
        other.close()
        assert index.lookup("k", {"a": "s", "b": "s"}) == {"a": "v"}


def test_each_root_has_its_own_and_links_lead_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "one")
    with FileIndex.of(tmp_path / "one") as index:
        index.store("k", {"a": ("s", "v")})
    with FileIndex.of(tmp_path / "link") as index:
        assert index.lookup("k", {"a": "s"}) == {"a": "v"}
    with FileIndex.of(tmp_path / "two") as index:
        assert index.lookup("k", {"a": "s"}) == {}


def test_a_stamp_differs_for_a_replaced_file(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.write_text("1")
    os.utime(file, (1, 1))
    first = stamp_of(file.stat())
    assert stamp_of(file.stat()) == first
    time.sleep(0.02)  # the clock of the file system
    file.write_text("2")
    os.utime(file, (1, 1))
    assert stamp_of(file.stat()) != first


def test_a_file_that_changed_just_now_is_not_settled(tmp_path: Path) -> None:
    file = tmp_path / "a"
    file.touch()
    changed = file.stat().st_mtime_ns
    assert not is_settled(file.stat(), changed + 1_000_000_000)
    assert is_settled(file.stat(), changed + 3_000_000_000)
