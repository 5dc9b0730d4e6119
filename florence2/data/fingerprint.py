"""A hash of everything in a folder, so that caching follows content: one changed pixel changes it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from florence2.errors import DatasetError

__all__ = ["fingerprint_folder"]


_NO_DATA = frozenset({".git", ".DS_Store"})
"""What version control and file managers leave in a folder."""


def fingerprint_folder(root: Path) -> str:
    """Hash the names and contents of all files below a folder.

    Hidden files count too: an annotation may name one. Only ``.git`` and ``.DS_Store`` are left out; times,
    permissions and where the folder lies do not count.

    Args:
        root: the folder.

    Returns:
        Hexadecimal SHA-256, the same for the same content on every machine.

    Raises:
        DatasetError: the folder is missing or a file in it cannot be read.
    """
    try:
        there, is_file = root.is_dir(), root.is_file()
    except OSError as exc:
        raise DatasetError(f"{str(root)!r}: {exc.strerror}; give the folder of a data set") from exc
    if not there:
        problem = "is a file" if is_file else "no such folder"
        raise DatasetError(f"{str(root)!r}: {problem}; give the folder of a data set")
    names = sorted(_file_names(root))
    # Hashing releases the interpreter lock, so threads use every core.
    with ThreadPoolExecutor() as pool:
        try:
            hashes = list(pool.map(lambda name: _file_sha256(root / os.fsdecode(name)), names))
        except OSError as exc:
            raise DatasetError(f"{exc.filename}: cannot be read ({exc.strerror}); check its permissions") from exc
    digest = hashlib.sha256()
    for name, file_hash in zip(names, hashes, strict=True):
        # A name holds no NUL byte and the hash has a fixed length, so no two folders give the same bytes.
        digest.update(name + b"\0" + file_hash)
    return digest.hexdigest()


def _file_names(root: Path) -> Iterator[bytes]:
    """Yield the relative names of regular files, through symbolic links, each real folder once."""
    seen: set[Path] = set()
    for folder, folders, files in os.walk(root, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if name not in _NO_DATA)
        for name in files:
            path = Path(folder) / name
            if name not in _NO_DATA and path.is_file():
                yield os.fsencode(path.relative_to(root).as_posix())


def _file_sha256(path: Path) -> bytes:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()
