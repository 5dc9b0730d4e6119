"""A hash of everything in a folder, so that caching follows content: one changed pixel changes it."""

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
"""What version control and file managers leave in a folder."""

_KIND = "sha256"
_KEPT_AT_ONCE = 2000
_HASHED_AT_ONCE = 64
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Contents:
    """What lies in a folder, by names relative to it.

    Attributes:
        hashes: hexadecimal SHA-256 of each regular file.
        links: text of each symbolic link that counts as one.
    """

    hashes: Mapping[str, str]
    links: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """Hexadecimal SHA-256, the same for the same content on every machine."""
        digest = hashlib.sha256()
        for name in sorted({*self.hashes, *self.links}, key=os.fsencode):
            # A name holds no NUL byte, none ends in a slash, and the hash has a fixed length: no two folders give the
            # same bytes.
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

    Hidden files count too: an annotation may name one. Only ``.git`` and ``.DS_Store`` are left out; times,
    permissions and where the folder lies do not count. Of a symbolic link to a folder, to nothing, or out of the
    root, the text counts and not what it leads to; pipes and devices do not count.

    Args:
        root: the folder.
        verify: hash every file again, also where size and times are those of the last look.

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
    """Hash files; what was found is kept in the user's cache, see ``FileIndex``.

    Args:
        root: a folder.
        names: paths of regular files relative to it.
        verify: hash every file again, also where size and times are those of the last look.

    Returns:
        Hexadecimal SHA-256 by name.

    Raises:
        DatasetError: a file cannot be read.
    """
    hashes: dict[str, str] = {}
    rest = iter(names)
    # Hashing and reading release the interpreter lock.
    with FileIndex.of(root) as index, ThreadPoolExecutor() as pool:
        while batch := list(islice(rest, _KEPT_AT_ONCE)):
            looked_at = time.time_ns()
            try:
                statuses = {name: (root / name).stat() for name in batch}
                settled = {name: stamp_of(s) for name, s in statuses.items() if is_settled(s, looked_at)}
                known = {} if verify else index.lookup(_KIND, settled)
                unknown = [name for name in batch if name not in known]
                parts = [unknown[start : start + _HASHED_AT_ONCE] for start in range(0, len(unknown), _HASHED_AT_ONCE)]
                found = [pair for pairs in pool.map(lambda part: _hash_each(root, part), parts) for pair in pairs]
            except OSError as exc:
                raise _unreadable(exc) from exc
            hashes |= known | dict(found)
            index.store(_KIND, {name: (settled[name], value) for name, value in found if name in settled})
    return hashes


def _files_and_links(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield relative names: of regular files with None, of links whose text counts with that text."""
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
