"""Values that were computed from files, kept as long as size and times of a file do not change.

The user's cache has one SQLite file for each data set. It only saves time: where it cannot be read, the value counts as
unknown, and a damaged file is removed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Self

from florence2.errors import DatasetError
from florence2.storage.cache import cache_folder

__all__ = ["FileIndex", "is_settled", "stamp_of"]

SETTLING_NS = 2_000_000_000
"""A file that changed less than this many nanoseconds ago may change again and keep its time: some file systems count
time in steps of two seconds."""

_CREATE = """
    CREATE TABLE IF NOT EXISTS found_1 (
        kind TEXT NOT NULL, path BLOB NOT NULL, stamp TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, path)
    ) WITHOUT ROWID
"""
_QUERY_PATHS = 500


def stamp_of(status: os.stat_result) -> str:
    """Return size, modification time and change time of a file, which stay equal while it is not changed.

    The change time differs where a file was replaced by one of the same size and date, as archives and copies do.
    """
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def is_settled(status: os.stat_result, checked_at_ns: int) -> bool:
    """Return whether a later change of the file would change its stamp.

    Args:
        status: of the file, taken before it was read.
        checked_at_ns: the time in nanoseconds since the epoch, taken before the status.
    """
    return status.st_mtime_ns < checked_at_ns - SETTLING_NS


class FileIndex(contextlib.AbstractContextManager["FileIndex"]):
    """Known values of the files in a folder; for one thread, and several processes at a time.

    Args:
        file: the SQLite file, made if it is missing; None: the index is kept in memory.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._connection = self._connect()

    @classmethod
    def of(cls, root: Path) -> FileIndex:
        """Return the index of a data set's folder in the user's cache."""
        try:
            key = hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:32]
            return cls(cache_folder("index") / f"{key}.sqlite")
        except DatasetError:
            return cls(None)

    def lookup(self, kind: str, stamps: Mapping[str, str]) -> dict[str, str]:
        """Return the known values of files that have not changed.

        Args:
            kind: the kind of value; a file may have one of each kind.
            stamps: present stamps of the files, by their paths relative to the folder.

        Returns:
            Values by path; changed and unknown files are missing.
        """
        known: dict[str, str] = {}
        paths = iter(stamps)
        while batch := list(islice(paths, _QUERY_PATHS)):
            marks = ",".join("?" * len(batch))
            query = f"SELECT path, stamp, value FROM found_1 WHERE kind = ? AND path IN ({marks})"
            with self._forgiving():
                for path, stamp, value in self._connection.execute(query, [kind, *map(os.fsencode, batch)]):
                    name = os.fsdecode(path)
                    if stamps[name] == stamp and isinstance(value, str):
                        known[name] = value
        return known

    def store(self, kind: str, found: Mapping[str, tuple[str, str]]) -> None:
        """Keep values, in one transaction.

        Args:
            kind: the kind of the values.
            found: stamp and value of each file, by its path relative to the folder.
        """
        rows = [(kind, os.fsencode(path), stamp, value) for path, (stamp, value) in found.items()]
        with self._forgiving(), self._connection as transaction:
            transaction.executemany("INSERT OR REPLACE INTO found_1 VALUES (?, ?, ?, ?)", rows)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def _connect(self) -> sqlite3.Connection:
        """Open the file, or a new one if it is damaged; where that fails, an index in memory."""
        for _ in range(2):
            if self._file is None:
                break
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                return _open(str(self._file))
            except sqlite3.OperationalError:
                break  # no permission, no space
            except sqlite3.DatabaseError:
                self._remove()
            except OSError:
                break
        return _open(":memory:")

    @contextlib.contextmanager
    def _forgiving(self) -> Iterator[None]:
        """Keep errors of the index from the caller."""
        try:
            yield
        except sqlite3.OperationalError:
            pass  # locked for long, read-only, or the disk is full
        except sqlite3.DatabaseError:
            self._connection.close()
            self._remove()
            self._connection = self._connect()

    def _remove(self) -> None:
        if self._file is not None:
            for suffix in ("", "-journal"):
                with contextlib.suppress(OSError):
                    Path(f"{self._file}{suffix}").unlink(missing_ok=True)


def _open(file: str) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=10)
    try:
        connection.execute(_CREATE)
        # Reads a page of the table, so that a file that is not a database raises here.
        connection.execute("SELECT stamp FROM found_1 LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
