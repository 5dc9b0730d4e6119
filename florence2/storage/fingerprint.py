"""A hash of everything in a folder, so that caching follows content: each changed pixel changes it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from florence2.errors import DatasetError
from florence2.storage.file_index import FileIndex, is_settled, stamp_of
from florence2.storage.safe_files import is_file_inside, open_regular

__all__ = ["Contents", "contents_of", "fingerprint_folder", "hash_files"]


_NO_DATA = frozenset({".git", ".DS_Store"})
"""Names of version control and file managers, which are not part of the data."""

_KIND = "sha256"
_BATCH_FILES = 2000
_THREAD_FILES = 64
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Contents:
    """The contents of a folder, by names relative to it.

    Attributes:
        hashes: hexadecimal SHA-256 of each regular file.
        links: target text of each symbolic link that is hashed as a link.
    """

    hashes: Mapping[str, str]
    links: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256, the same for the same content on every machine."""
        digest = hashlib.sha256()
        for name in sorted({*self.hashes, *self.links}, key=os.fsencode):
            # A name holds no NUL byte and does not end in a slash, and the hash has a fixed length: different folders
            # give different bytes.
            if name in self.hashes:
                digest.update(os.fsencode(name) + b"\0" + bytes.fromhex(self.hashes[name]))
            else:
                digest.update(os.fsencode(name) + b"/\0" + hashlib.sha256(os.fsencode(self.links[name])).digest())
        return digest.hexdigest()


def fingerprint_folder(root: Path, *, verify: bool = False) -> str:
    """Return the fingerprint of the ``contents_of`` a folder."""
    return contents_of(root, verify=verify).fingerprint


def contents_of(root: Path, *, verify: bool = False) -> Contents:
    """Hash the contents of all files below a folder.

    Hidden files are hashed, too, because an annotation may name one. Only ``.git`` and ``.DS_Store`` are left out.
    Times, permissions and the path of the folder have no effect. Of a symbolic link to a folder, to nothing, or out of
    the root, the target text is hashed, not the target; pipes and devices are left out.

    Args:
        root: the folder.
        verify: hash every file again, even if its size and times have not changed.

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
    try:
        found = dict(_files_and_links(root))
    except OSError as exc:
        raise _unreadable(exc) from exc
    links = {name: target for name, target in found.items() if target is not None}
    return Contents(hash_files(root, [name for name in found if name not in links], verify=verify), links)


def hash_files(root: Path, names: Sequence[str], *, verify: bool = False) -> dict[str, str]:
    """Hash files; the hashes are kept in the user's cache, see ``FileIndex``.

    Args:
        root: a folder.
        names: paths of regular files relative to it.
        verify: hash every file again, even if its size and times have not changed.

    Returns:
        Hexadecimal SHA-256 by name.

    Raises:
        DatasetError: a file cannot be read.
    """
    hashes: dict[str, str] = {}
    rest = iter(names)
    # Threads help: hashing and reading release the interpreter lock.
    with FileIndex.of(root) as index, ThreadPoolExecutor() as pool:
        while batch := list(islice(rest, _BATCH_FILES)):
            checked_at = time.time_ns()
            try:
                statuses = {name: (root / name).stat() for name in batch}
                settled = {name: stamp_of(s) for name, s in statuses.items() if is_settled(s, checked_at)}
                known = {} if verify else index.lookup(_KIND, settled)
                unknown = [name for name in batch if name not in known]
                parts = [unknown[start : start + _THREAD_FILES] for start in range(0, len(unknown), _THREAD_FILES)]
                found = [pair for pairs in pool.map(lambda part: _hash_each(root, part), parts) for pair in pairs]
            except OSError as exc:
                raise _unreadable(exc) from exc
            hashes |= known | dict(found)
            index.store(_KIND, {name: (settled[name], value) for name, value in found if name in settled})
    return hashes


def _files_and_links(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield relative names: of regular files with None, of links that are hashed as links with their target text."""
    top = os.path.realpath(root)
    folders = [""]
    while folders:
        above = folders.pop()
        with os.scandir(f"{top}/{above}") as entries:
            for entry in entries:
                name = above + entry.name
                if entry.name in _NO_DATA:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.append(f"{name}/")
                elif entry.is_file(follow_symlinks=False) or (entry.is_symlink() and is_file_inside(entry.path, top)):
                    yield name, None
                elif entry.is_symlink():
                    yield name, os.readlink(entry.path)  # noqa: PTH115 - a Path would change the text


def _hash_each(root: Path, names: Sequence[str]) -> list[tuple[str, str]]:
    return [(name, _sha256(root / name)) for name in names]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open_regular(path) as handle:
        while block := handle.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _unreadable(error: OSError) -> DatasetError:
    return DatasetError(f"{error.filename}: cannot be read ({error.strerror}); check its permissions")
