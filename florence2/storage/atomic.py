"""Files and folders that are there whole or not at all: made beside their place, and moved there when complete.

A full disk, an error or a kill leaves neither an empty file nor half of a folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

__all__ = ["remove_atomic", "remove_unfinished", "unfinished", "whole", "write_atomic"]

_UNFINISHED = ".unfinished-"
_STALE_SECONDS = 24 * 3600
"""What is older and unfinished is that of a process that was killed."""


@contextlib.contextmanager
def whole(place: Path, *, beside: Path | None = None, alone: bool = False) -> Iterator[Path]:
    """Give a path where nothing is, for a file or a folder; what is made there is moved to its place in the end.

    After an error it is gone again, and the place is as it was.

    Args:
        place: where it belongs; a file that is there is replaced, and so is an empty folder.
        beside: a folder on the same disk in which it is made; None: the one that the place lies in.
        alone: no other process makes the same, so that what a killed one left is removed at once, and not by
            ``remove_unfinished`` when it is old.

    Raises:
        OSError: it cannot be moved there.
    """
    name = hashlib.sha256(os.fsencode(place.name)).hexdigest()[:12] if alone else uuid4().hex[:12]
    partial = (place.parent if beside is None else beside) / f"{_UNFINISHED}{name}"
    if alone:
        _remove(partial)
    try:
        yield partial
        if partial.is_dir():
            with contextlib.suppress(OSError):
                place.rmdir()  # only Linux moves a folder over an empty one
        partial.replace(place)
    finally:
        _remove(partial)


@contextlib.contextmanager
def unfinished(folder: Path) -> Iterator[Path]:
    """Give a path in a folder where nothing is; what is made there is removed in the end, unless it was moved away."""
    partial = folder / f"{_UNFINISHED}{uuid4().hex[:12]}"
    try:
        yield partial
    finally:
        _remove(partial)


def write_atomic(file: Path, content: str | bytes) -> None:
    """Write a file beside its place, and move it there when it is complete.

    Args:
        file: what was there before is replaced at the end, and kept if that is not reached. A device such as
            ``/dev/stdout`` is written to as it is.
        content: bytes, or a text, which is written as UTF-8.

    Raises:
        OSError: it cannot be written; nothing new is left.
    """
    data = content.encode() if isinstance(content, str) else content
    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    with whole(file.resolve()) as partial:  # a link stays a link
        partial.write_bytes(data)


def remove_atomic(folder: Path) -> None:
    """Remove a folder so that nobody, whatever happens, finds a half of it in its place."""
    aside = folder.with_name(f"{_UNFINISHED}{uuid4().hex[:12]}")
    with contextlib.suppress(OSError):  # another process removes it, too
        _remove(folder.rename(aside))


def remove_unfinished(folder: Path) -> None:
    """Remove what processes that were killed have left in a folder, as far as can be told: it is older than a day.

    Args:
        folder: one of this package's own, such as a cache; it need not exist.
    """
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(OSError):  # another process removes it, too
                if entry.name.startswith(_UNFINISHED) and time.time() - entry.stat().st_mtime > _STALE_SECONDS:
                    _remove(Path(entry.path))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()
