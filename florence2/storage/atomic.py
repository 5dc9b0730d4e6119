"""Atomic writes: a file or a folder is made under another name, and renamed to its own when it is complete.

A full disk, an error or a kill leaves neither an empty file nor half of a folder. What the system refuses becomes the
user's error in ``writing``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from florence2.errors import ConfigurationError, Florence2Error

__all__ = [
    "atomic_folder",
    "atomic_path",
    "check_new_folder",
    "remove_atomic",
    "remove_unfinished",
    "scratch_path",
    "write_atomic",
    "write_file",
    "writing",
]

_UNFINISHED = ".unfinished-"
_STALE_SECONDS = 24 * 3600
"""An unfinished file or folder that is older was left by a process that was killed."""


@contextlib.contextmanager
def writing(
    path: Path, remedy: str = "free space, or give another path", error: type[Florence2Error] = ConfigurationError
) -> Iterator[None]:
    """Translate the system's refusal to write into an error for the user: path, reason, remedy.

    Args:
        path: what the user named, or the part of it that is written.
        remedy: what the user can do, in words that follow a semicolon.
        error: the class of the error.

    Raises:
        Florence2Error: of that class, where the block raised an OSError.
    """
    try:
        yield
    except OSError as exc:
        raise error(f"{path}: cannot be written ({_reason(exc, path)}); {remedy}") from exc


def _reason(error: OSError, path: Path) -> str:
    """Return the system's words, and the file that they are about where that is another one than the path."""
    reason = error.strerror or str(error)
    if not isinstance(error.filename, str | os.PathLike):
        return reason
    # An unfinished file is unknown to the user; below an unfinished folder the rest of the path is known.
    name = re.sub(rf"^.*{re.escape(_UNFINISHED)}\w+/?", "", os.fspath(error.filename))
    return f"{reason}: {name}" if name and Path(name) != path else reason


@contextlib.contextmanager
def atomic_path(path: Path, *, scratch: Path | None = None, sole_writer: bool = False) -> Iterator[Path]:
    """Give a free path for a file or a folder; what is made there is renamed to ``path`` at the end of the block.

    After an error it is removed, and ``path`` is as it was.

    Args:
        path: the final path; a file that is there is replaced, and so is an empty folder.
        scratch: a folder on the same disk in which it is made; None: the parent folder.
        sole_writer: no other process writes this path, so what a killed process left is removed at once, and not by
            ``remove_unfinished`` when it is old.

    Raises:
        OSError: it cannot be renamed.
    """
    name = hashlib.sha256(os.fsencode(path.name)).hexdigest()[:12] if sole_writer else uuid4().hex[:12]
    partial = (path.parent if scratch is None else scratch) / f"{_UNFINISHED}{name}"
    if sole_writer:
        _remove(partial)
    try:
        yield partial
        if partial.is_dir():
            with contextlib.suppress(OSError):
                path.rmdir()  # only Linux renames a folder over an empty one
        partial.replace(path)
    finally:
        _remove(partial)


@contextlib.contextmanager
def scratch_path(folder: Path) -> Iterator[Path]:
    """Give a free path in a folder; what is made there is removed at the end of the block, unless it was moved away."""
    partial = folder / f"{_UNFINISHED}{uuid4().hex[:12]}"
    try:
        yield partial
    finally:
        _remove(partial)


@contextlib.contextmanager
def atomic_folder(
    folder: Path, remedy: str = "give another folder", error: type[Florence2Error] = ConfigurationError
) -> Iterator[Path]:
    """Give an empty folder to write into; it is renamed to ``folder`` at the end of the block.

    After an error it is removed; missing parent folders are made at the end only.

    Args:
        folder: the final path; free, or an empty folder.
        remedy: what the user can do where it cannot be written.
        error: the class of the errors.

    Raises:
        Florence2Error: of that class; the path is taken, or cannot be written.
    """
    check_new_folder(folder, error)
    with writing(folder, remedy, error):
        existing = next(parent for parent in folder.absolute().parents if parent.exists())
        with atomic_path(folder, scratch=existing) as partial:
            partial.mkdir()
            yield partial
            folder.parent.mkdir(parents=True, exist_ok=True)


def check_new_folder(folder: Path, error: type[Florence2Error] = ConfigurationError) -> None:
    """Raise if something is there already that is not an empty folder.

    Args:
        folder: where a folder is to be made.
        error: the class of the error.

    Raises:
        Florence2Error: of that class; the path is taken, or cannot be a path.
    """
    with writing(folder, "give another folder", error):
        is_empty_folder = folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
        taken = os.path.lexists(folder) and not is_empty_folder
    if taken:
        raise error(f"{folder}: exists and is not an empty folder; give a new one, nothing is overwritten")


def write_atomic(file: Path, content: str | bytes) -> None:
    """Write a file so that it has its old content or its new one, and never half of it.

    Args:
        file: a device such as ``/dev/stdout`` is written to directly.
        content: bytes, or a text, which is written as UTF-8.

    Raises:
        OSError: it cannot be written; the old content is kept.
    """
    data = content.encode() if isinstance(content, str) else content
    if file.exists() and not file.is_file():
        file.write_bytes(data)
        return
    with atomic_path(file.resolve()) as partial:  # a link stays a link
        partial.write_bytes(data)


def write_file(file: Path, content: str | bytes, remedy: str = "free space, or give another file") -> None:
    """Write a file as ``write_atomic`` does, with an error for the user.

    Args:
        file: in a folder that exists.
        content: bytes, or a text, which is written as UTF-8.
        remedy: what the user can do where it cannot be written.

    Raises:
        ConfigurationError: it cannot be written; the old content is kept.
    """
    with writing(file, remedy):
        write_atomic(file, content)


def remove_atomic(folder: Path) -> None:
    """Remove a folder so that no process finds half of it at its path, even after a kill."""
    aside = folder.with_name(f"{_UNFINISHED}{uuid4().hex[:12]}")
    with contextlib.suppress(OSError):  # another process removes it, too
        _remove(folder.rename(aside))


def remove_unfinished(folder: Path) -> None:
    """Remove the unfinished files and folders in a folder that are older than a day: their processes were killed.

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
