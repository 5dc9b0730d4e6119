"""The memory of the last look at a data set: what was found in a file, for as long as its size and times stay.

One SQLite file for each data set lies in the user's cache. It only saves time: whatever goes wrong with it is taken as
"not known", and a damaged one is thrown away.
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
"""A file that changed less than this many nanoseconds before the look may change again without showing another time:
some file systems count time in steps of two seconds."""

_CREATE = """
    CREATE TABLE IF NOT EXISTS found_1 (
        kind TEXT NOT NULL, path BLOB NOT NULL, stamp TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (kind, path)
    ) WITHOUT ROWID
"""
_PATHS_AT_ONCE = 500


def stamp_of(status: os.stat_result) -> str:
    """Return what must be equal at the next look: size, time of the content's and of the entry's last change.

    The latter tells a file apart that was replaced by one of the same size and date, as archives and copies bring.
    """
    return f"{status.st_size}:{status.st_mtime_ns}:{status.st_ctime_ns}"


def is_settled(status: os.stat_result, looked_at_ns: int) -> bool:
    """Tell whether a later change of the file would show in its stamp.

    Args:
        status: of the file, taken before it was read.
        looked_at_ns: the time in nanoseconds since the epoch, taken before the status.
    """
    return status.st_mtime_ns < looked_at_ns - SETTLING_NS


class FileIndex(contextlib.AbstractContextManager["FileIndex"]):
    """What is known of the files of a folder; for one thread, and several processes at a time.

    Args:
        file: where it is kept, made if need be; None keeps it in memory.
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
        """Return what is known of files that have not changed.

        Args:
            kind: what is asked for; values of different kinds live side by side.
            stamps: of the files as they are now, by their paths relative to the folder.

        Returns:
            Values by path; changed and unknown files are missing.
        """
        known: dict[str, str] = {}
        paths = iter(stamps)
        while batch := list(islice(paths, _PATHS_AT_ONCE)):
            places = ",".join("?" * len(batch))
            query = f"SELECT path, stamp, value FROM found_1 WHERE kind = ? AND path IN ({places})"
            with self._forgiving():
                for path, stamp, value in self._connection.execute(query, [kind, *map(os.fsencode, batch)]):
                    name = os.fsdecode(path)
                    if stamps[name] == stamp and isinstance(value, str):
                        known[name] = value
        return known

    def store(self, kind: str, found: Mapping[str, tuple[str, str]]) -> None:
        """Keep what was found, in one transaction.

        Args:
            kind: what it is.
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
        """Open the file, one made anew if it is damaged, or else a memory that lasts for this look only."""
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
        """Let nothing that is wrong with the index reach the caller."""
        try:
            yield
        except sqlite3.OperationalError:
            pass  # locked for long, read-only, or a full disk
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
        # Reads a page of the table, so that what is no database is noticed here.
        connection.execute("SELECT stamp FROM found_1 LIMIT 1").fetchall()
    except BaseException:
        connection.close()
        raise
    return connection
