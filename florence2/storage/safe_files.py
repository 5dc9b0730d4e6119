"""Opening files of strangers: regular ones inside a folder, and neither pipes that wait for ever nor links outside."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

__all__ = ["is_file_inside", "is_inside", "open_regular", "read_regular"]

_FLAGS = (
    os.O_RDONLY
    # Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever. Windows has none but O_BINARY.
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


def is_inside(path: str | Path, top: str) -> bool:
    """Tell whether a path leads into a folder, or to the folder itself, when all symbolic links are followed.

    Args:
        path: need not exist.
        top: the folder, as ``os.path.realpath`` gives it: callers that ask for many files resolve it once.
    """
    real = os.path.realpath(path)
    return real == top or real.startswith(os.path.join(top, ""))  # noqa: PTH118 - a Path takes longer


def is_file_inside(path: str | Path, top: str) -> bool:
    """Tell whether a path leads to a regular file in a folder; ``top`` is as for ``is_inside``."""
    return is_inside(path, top) and os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises for a ring of links


def open_regular(path: str | Path) -> BinaryIO:
    """Open a file for reading bytes; a symbolic link is followed.

    What is opened is what is looked at, so nothing can take its place in between.

    Raises:
        OSError: it cannot be opened, or is a folder, a pipe or a device; ``strerror`` says which.
        ValueError: the path holds a NUL byte.
    """
    return os.fdopen(_open(path)[0], "rb")


def read_regular(path: str | Path, limit: int) -> bytes:
    """Return the content of a file; a symbolic link is followed.

    Args:
        path: the file.
        limit: most bytes that are read.

    Raises:
        OSError: as ``open_regular``, or it cannot be read; with ``errno.EFBIG`` if it is larger than the limit.
        ValueError: the path holds a NUL byte.
    """
    # Neither a Path nor a file object: both take longer than a small file does.
    descriptor, size = _open(path)
    content = b""
    try:
        # Until nothing comes: a file may be longer by now, and one read may give less than there is.
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
