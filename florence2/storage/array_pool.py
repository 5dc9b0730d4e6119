"""Arrays on disk that are expensive to compute: each a memory-mapped file, named by what it was computed from.

Data sets, runs and processes share them. Files are written atomically. The pool never exceeds its limit: the arrays
that were used least recently are removed first.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from florence2.storage.atomic import atomic_path, remove_unfinished

__all__ = ["ArrayPool"]

logger = logging.getLogger(__name__)

_SUFFIX = ".npy"


class ArrayPool:
    """A folder of arrays of one shape and type.

    Args:
        folder: its name identifies everything that the contents depend on, except for the names of the arrays.
        shape: of each array.
        dtype: of each array.
        limit_bytes: the most that the folder may hold; where several processes use different arrays of it at the same
            time, each of them may put this much into it.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], dtype: np.dtype, limit_bytes: int) -> None:
        self._folder = folder
        self._shape = shape
        self._dtype = np.dtype(dtype)
        self._header = _header(self._shape, self._dtype)
        self._limit = limit_bytes
        self._admitted: frozenset[str] = frozenset()

    @property
    def array_bytes(self) -> int:
        """Return the size of the file of one array."""
        return len(self._header) + int(np.prod(self._shape)) * self._dtype.itemsize

    def admit(self, names: Iterable[str]) -> int:
        """Free space for arrays that are about to be used; from now on ``put`` keeps only these.

        Args:
            names: of the arrays, the most important first.

        Returns:
            How many of them fit within the limit.
        """
        wanted = list(dict.fromkeys(names))[: self._limit // self.array_bytes]
        self._admitted = frozenset(wanted)
        kept = len(wanted)
        remove_unfinished(self._folder)
        for path in self._others():
            if (kept + 1) * self.array_bytes <= self._limit:
                kept += 1
            else:
                with contextlib.suppress(OSError):
                    path.unlink()
        for name in wanted:
            with contextlib.suppress(OSError):
                os.utime(self._file(name))
        return len(wanted)

    def get(self, name: str) -> NDArray[np.generic] | None:
        """Return an array, mapped read-only; None if it is missing or damaged, so that it must be computed again."""
        size = len(self._header)
        try:
            with self._file(name).open("rb") as file:
                if os.fstat(file.fileno()).st_size != self.array_bytes or file.read(size) != self._header:
                    return None
                return np.memmap(file, self._dtype, "r", offset=size, shape=self._shape)
        except OSError:
            return None

    def put(self, name: str, array: NDArray[np.generic]) -> None:
        """Keep an array if its name was admitted; on a full disk it is not kept, with one warning and no error.

        An array of another shape or type does not belong to this pool and is not kept either.
        """
        if name not in self._admitted or (array.shape, array.dtype) != (self._shape, self._dtype):
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_path(self._file(name)) as path, path.open("wb") as file:
                file.write(self._header)
                file.write(np.ascontiguousarray(array).data)
        except OSError as exc:
            self._admitted = frozenset()
            logger.warning("%s: no more arrays are kept there (%s)", self._folder, exc.strerror)

    def _others(self) -> list[Path]:
        """Return the files of arrays that are not admitted, the newest first."""
        found: list[tuple[int, Path]] = []
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                path = Path(entry.path)
                with contextlib.suppress(OSError):  # another process frees space, too
                    if path.suffix == _SUFFIX and path.stem not in self._admitted:
                        found.append((entry.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found, reverse=True)]

    def _file(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"


def _header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """Return the first bytes of a .npy file of such an array."""
    stream = io.BytesIO()
    description = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, description)
    return stream.getvalue()
