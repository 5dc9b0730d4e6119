"""Snapshots of a remote folder: the files that a process reads do not change while another one fetches changes.

Each content is kept once, named by its hash. A snapshot is a folder with hard links to contents, named by a hash of its
file names and contents; it is made atomically. On a disk without hard links it holds copies.

    contents/1f/1f3b...     each content once
    snapshots/0c5a.../      a folder for each state of the source, laid out as there
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Container, Mapping
from pathlib import Path

from florence2.storage.atomic import atomic_path, remove_atomic, remove_unfinished
from florence2.storage.cache import make_once
from florence2.storage.file_index import FileIndex

__all__ = ["Snapshots"]

_VERSIONS, _CONTENTS = "version", "content"
_KEPT_SECONDS = 30 * 24 * 3600
"""A snapshot that no call has returned for this long is removed, as unpacked folders are."""
_UNLINKED_SECONDS = 24 * 3600
"""A younger content without a snapshot may belong to a fetch that still runs, or was interrupted."""


class Snapshots:
    """The snapshots of a source, and the contents that they share.

    Args:
        folder: of the source; besides snapshots and contents it holds unfinished files only.
        index: keeps the hash of each version of a file; for one thread.
    """

    def __init__(self, folder: Path, index: FileIndex) -> None:
        self._folder = folder
        self._snapshots = folder / "snapshots"
        self._index = index

    def known(self, versions: Mapping[str, str]) -> dict[str, str]:
        """Return the contents that need not be fetched.

        Args:
            versions: version of each file that the server reports, by its path; empty if it reports none.

        Returns:
            Hexadecimal SHA-256 by path, of the files whose content of this version is here and was not edited.
        """
        hashes = self._index.lookup(_VERSIONS, {path: version for path, version in versions.items() if version})
        stamps = {}
        for sha256 in set(hashes.values()):
            with contextlib.suppress(OSError):
                stamps[sha256] = _stamp_of(self._content(sha256))
        unedited = self._index.lookup(_CONTENTS, stamps)
        return {path: sha256 for path, sha256 in hashes.items() if sha256 in unedited}

    def keep(self, file: Path) -> str:
        """Move a fetched file to the contents, and return its hexadecimal SHA-256; for any thread.

        Raises:
            OSError: it cannot be read or moved.
        """
        sha256 = _hash_of(file)
        content = self._content(sha256)
        if content.is_file() and _hash_of(content) == sha256:
            return sha256  # its snapshots continue to share it
        os.utime(file)  # fsspec keeps the dates of some servers, but the time of the fetch matters here
        content.parent.mkdir(parents=True, exist_ok=True)
        file.replace(content)
        return sha256

    def remember(self, fetched: Mapping[str, tuple[str, str]]) -> None:
        """Keep the hashes of versions, and the stamps of their contents.

        Args:
            fetched: version and hexadecimal SHA-256 of each file, by its path.
        """
        self._index.store(_VERSIONS, fetched)
        contents = {sha256 for _, sha256 in fetched.values()}
        self._index.store(_CONTENTS, {sha256: (_stamp_of(self._content(sha256)), "") for sha256 in contents})

    def snapshot(self, hashes: Mapping[str, str]) -> Path:
        """Return the folder with these files, made if it is missing; snapshots and contents out of use are removed.

        In an existing snapshot, files that were removed or edited are restored, and files that were added are removed.

        Args:
            hashes: hexadecimal SHA-256 of each file by its path; the contents must be here.

        Raises:
            DatasetError: the folder cannot be written.
            OSError: the same, or a content was removed by another process.
        """
        folder = self._snapshots / hashlib.sha256(json.dumps(sorted(hashes.items())).encode()).hexdigest()[:32]
        is_new = not folder.is_dir()
        make_once(folder, lambda target: self._fill(target, hashes))
        with contextlib.suppress(OSError):  # it may belong to another user and be read-only
            os.utime(folder)
        if not is_new:
            _remove_all_but(folder, hashes)
            self._fill(folder, hashes)
        self._remove_unused(folder, set(hashes.values()), is_new=is_new)
        return folder

    def _content(self, sha256: str) -> Path:
        return self._folder / "contents" / sha256[:2] / sha256

    def _fill(self, folder: Path, hashes: Mapping[str, str]) -> None:
        """Link each file that is missing from the folder or was edited."""
        folder.mkdir(exist_ok=True)
        for path, sha256 in hashes.items():
            file, content = folder / path, self._content(sha256)
            if not _is_same(file, content):
                file.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(file, scratch=self._folder) as partial:
                    _link(content, partial)

    def _remove_unused(self, used: Path, contents: Container[str], *, is_new: bool) -> None:
        """Remove snapshots that were not used for long, and contents that belong to no snapshot."""
        remove_unfinished(self._folder)
        removed = False
        for other in self._snapshots.glob("[0-9a-f]*"):
            with contextlib.suppress(OSError):  # another process removes it, too
                if other != used and time.time() - other.stat().st_mtime > _KEPT_SECONDS:
                    remove_atomic(other)
                    removed = True
        if not (is_new or removed):
            return
        for content in self._folder.glob("contents/*/*"):
            with contextlib.suppress(OSError):
                status = content.stat()
                is_old = time.time() - status.st_mtime > _UNLINKED_SECONDS
                if is_old and status.st_nlink == 1 and content.name not in contents:
                    content.unlink()


def _hash_of(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stamp_of(file: Path) -> str:
    """Return a text that changes when a content is edited. A new link changes the change time, so that is left out."""
    status = file.lstat()
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ino}"


def _is_same(file: Path, content: Path) -> bool:
    """Return whether a file of a snapshot is a link to a content, or an unedited copy of it."""
    try:
        status = file.lstat()
    except OSError:
        return False
    kept = content.lstat()
    return (status.st_mode, status.st_size, status.st_mtime_ns) == (kept.st_mode, kept.st_size, kept.st_mtime_ns)


def _link(content: Path, target: Path) -> None:
    """Link a content; copy it where the disk has no hard links, or the file has the most that it may have."""
    try:
        target.hardlink_to(content)
    except OSError:
        shutil.copy2(content, target)


def _remove_all_but(root: Path, wanted: Container[str]) -> None:
    """Remove files that were added to a snapshot, and empty folders."""
    for folder, folders, names in os.walk(root, topdown=False):
        above = Path(folder)
        for name in (*names, *(name for name in folders if (above / name).is_symlink())):
            if (above / name).relative_to(root).as_posix() not in wanted:
                (above / name).unlink()
        if above != root:
            with contextlib.suppress(OSError):  # not empty
                above.rmdir()
