"""Opening files from unknown sources: regular files inside a folder, no pipes that block and no links outside."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_file_inside", "is_inside", "open_regular", "read_regular"]

_FLAGS = (
    os.O_RDONLY
    # Without O_NONBLOCK, opening a pipe without a writer blocks forever. Of these flags Windows has O_BINARY only.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def is_inside(path: str | Path, top: str) -> bool:
    """Return whether a path leads into a folder, or to the folder itself, when all symbolic links are followed.

    Args:
        path: need not exist.
        top: the folder, resolved by ``os.path.realpath``: callers with many files resolve it once.
    """
    real = os.path.realpath(path)
    return real == top or real.startswith(os.path.join(top, ""))  # noqa: PTH118 - a Path takes longer


def is_file_inside(path: str | Path, top: str) -> bool:
    """Return whether a path leads to a regular file in a folder; ``top`` is as for ``is_inside``."""
    return is_inside(path, top) and os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for links in a circle


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file for reading bytes; a symbolic link is followed.

    The opened file itself is checked, so it cannot be replaced between the check and the opening.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe or a device; ``strerror`` says which.
        ValueError: the path holds a NUL byte.
    """
    return os.fdopen(_open(path)[0], "rb")


def read_regular(path: str | Path, limit: int) -> bytes:
    """Return the content of a file; a symbolic link is followed.

    Args:
        path: the file.
        limit: size in bytes of the largest file that is read.

    Raises:
        OSError: as ``open_regular``, or it cannot be read; with ``errno.EFBIG`` if it is larger than the limit.
        ValueError: the path holds a NUL byte.
    """
    # Neither a Path nor a file object: both take longer than reading a small file.
    descriptor, size = _open(path)
    content = b""
    try:
        # Until the end: the file may have grown, and one read may return less than the rest.
        while max(size, len(content)) <= limit and (part := os.read(descriptor, size + 1)):
            content = content + part if content else part
    except OSError as exc:
        raise OSError(exc.errno, exc.strerror, str(path)) from exc
    finally:
        os.close(descriptor)
    if (length := max(size, len(content))) > limit:
        raise OSError(errno.EFBIG, f"{length} bytes, at most {limit} are read", str(path))
    return content


def _open(path: str | Path) -> tuple[int, int]:
    """Return the descriptor of a regular file and its size in bytes."""
    descriptor = os.open(path, _FLAGS)
    status = os.fstat(descriptor)
    if stat.S_ISREG(status.st_mode):
        return descriptor, status.st_size
    os.close(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    raise OSError(errno.EINVAL, "is not a regular file", str(path))
