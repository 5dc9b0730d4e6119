"""Snapshots: folders of links to contents that are kept once."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from florence2.storage.file_index import FileIndex
from florence2.storage.snapshots import Snapshots


@pytest.fixture
def snapshots(tmp_path: Path) -> Iterator[Snapshots]:
    with FileIndex(tmp_path / "index.sqlite") as index:
        yield Snapshots(tmp_path, index)


def keep(snapshots: Snapshots, folder: Path, text: str) -> str:
    """Keep a file with a text, and return its hash."""
    (folder / "fetched").write_text(text)
    return snapshots.keep(folder / "fetched")


def test_a_content_is_named_by_its_hash_and_kept_once(snapshots: Snapshots, tmp_path: Path) -> None:
    sha256 = keep(snapshots, tmp_path, "one")
    assert sha256 == hashlib.sha256(b"one").hexdigest()
    inode = (tmp_path / "contents" / sha256[:2] / sha256).stat().st_ino
    assert keep(snapshots, tmp_path, "one") == sha256
    assert (tmp_path / "contents" / sha256[:2] / sha256).stat().st_ino == inode


def test_a_version_is_known_until_its_content_is_edited(snapshots: Snapshots, tmp_path: Path) -> None:
    sha256 = keep(snapshots, tmp_path, "one")
    snapshots.remember({"a": ("v1", sha256)})
    assert snapshots.known({"a": "v1", "b": "v1"}) == {"a": sha256}
    assert snapshots.known({"a": "v2"}) == snapshots.known({"a": ""}) == {}
    (tmp_path / "contents" / sha256[:2] / sha256).write_text("edited")
    assert snapshots.known({"a": "v1"}) == {}


def test_a_snapshot_links_to_the_contents_and_is_the_same_for_the_same_files(
    snapshots: Snapshots, tmp_path: Path
) -> None:
    sha256 = keep(snapshots, tmp_path, "one")
    folder = snapshots.snapshot({"in/a": sha256, "b": sha256})
    assert (folder / "in/a").read_text() == "one"
    assert (folder / "in/a").stat().st_ino == (folder / "b").stat().st_ino
    assert snapshots.snapshot({"b": sha256, "in/a": sha256}) == folder
    assert snapshots.snapshot({"b": sha256}) != folder


def test_a_disk_without_hard_links_holds_copies(
    snapshots: Snapshots, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(target: Path, content: Path) -> None:
        raise OSError

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    sha256 = keep(snapshots, tmp_path, "one")
    folder = snapshots.snapshot({"a": sha256})
    assert (folder / "a").read_text() == "one"
    assert (folder / "a").stat().st_nlink == 1


def test_an_old_content_without_a_snapshot_is_removed(snapshots: Snapshots, tmp_path: Path) -> None:
    old, young, used = (keep(snapshots, tmp_path, text) for text in ("old", "young", "used"))
    for sha256 in (old, used):
        os.utime(tmp_path / "contents" / sha256[:2] / sha256, (1, 1))
    snapshots.snapshot({"a": used})
    assert {path.name for path in tmp_path.glob("contents/*/*")} == {young, used}
