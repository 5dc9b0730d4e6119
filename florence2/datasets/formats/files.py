"""How readers open the files of a data set: regular files inside its folder, of bounded size, and nothing else."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from florence2.datasets.formats.positioned_json import walk_json
from florence2.errors import AnnotationFileError
from florence2.storage import is_inside, open_regular, read_regular

__all__ = [
    "SPLIT_NAMES",
    "SPLIT_ORDER",
    "contents_of",
    "entries",
    "has_file",
    "in_split_order",
    "join",
    "open_annotations",
    "read_bytes",
    "read_json",
    "read_text",
    "split_folders",
]

SPLIT_NAMES = {"train": "train", "valid": "valid", "val": "valid", "validation": "valid", "test": "test"}
"""Split that a folder or a file of that name, in lower case, is for."""

SPLIT_ORDER = ("train", "valid", "test", "")
"""Order of the splits in a data set; the empty text is none."""

_BOM = b"\xef\xbb\xbf"


def join(folder: str, name: str) -> str:
    """Return the path of a name in a folder relative to the root; the root itself is the empty text."""
    return f"{folder}/{name}" if folder and not name.startswith("/") else name


def split_folders(root: Path) -> list[tuple[str, str]]:
    """Return pairs of split and folder: the folders named like splits, then the root itself as the folder ""."""
    named = [(SPLIT_NAMES[name.lower()], name) for name in entries(root) if name.lower() in SPLIT_NAMES]
    return in_split_order([*(pair for pair in named if (root / pair[1]).is_dir()), ("", "")])


def in_split_order(sources: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sort pairs of split and path: train, valid, test, none; by path within each."""
    return sorted(sources, key=lambda source: (SPLIT_ORDER.index(source[0]), source[1]))


def entries(folder: Path) -> list[str]:
    """Return the names in a folder, sorted, without hidden ones; none if it is not a folder."""
    if not folder.is_dir():
        return []
    return sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208 - names suffice


def contents_of(root: Path) -> str:
    """Return the names in a folder for messages, ten at most."""
    names = [name + "/" * (root / name).is_dir() for name in entries(root)]
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return (", ".join(ascii(name)[1:-1] for name in names[:10]) or "nothing") + more


def has_file(root: Path, file: str) -> bool:
    """Return whether something has that path and is not a folder; opening it shows whether it can be read."""
    path = root / file
    return path.is_symlink() or (path.exists() and not path.is_dir())


def open_annotations(root: Path, file: str) -> BinaryIO:
    """Open an annotation file for reading bytes.

    Args:
        root: folder of the data set.
        file: path relative to it.

    Raises:
        FileNotFoundError: there is no such file.
        AnnotationFileError: it leads out of the folder, is a folder, a pipe or a device, or cannot be opened.
    """
    with _explained(root, file):
        return open_regular(root / file)


def read_bytes(root: Path, file: str, limit: int) -> bytes:
    """Return the content of an annotation file.

    Args:
        root: folder of the data set.
        file: path relative to it.
        limit: most bytes that are read.

    Raises:
        FileNotFoundError: there is no such file.
        AnnotationFileError: it cannot be read, or is larger than the limit.
    """
    with _explained(root, file):
        return read_regular(root / file, limit)


@contextlib.contextmanager
def _explained(root: Path, file: str) -> Iterator[None]:
    """Refuse a path that leads out of the data set; translate an error of the file system into one with a remedy."""
    path = root / file
    if not is_inside(path, os.path.realpath(root)):
        raise AnnotationFileError(path, "leads out of the data set's folder; copy the file itself into the data set")
    try:
        yield
    except FileNotFoundError as exc:
        if not path.is_symlink():
            raise
        raise AnnotationFileError(path, "is a symbolic link to nothing; replace it by the file itself") from exc
    except OSError as exc:
        remedy = "split the set into smaller files" if exc.errno == errno.EFBIG else "replace it by a readable file"
        raise AnnotationFileError(path, f"cannot be read ({exc.strerror}); {remedy}") from exc


def read_text(root: Path, file: str, limit: int) -> str:
    """Return the content of an annotation file in UTF-8, without a byte order mark.

    Raises:
        FileNotFoundError: there is no such file.
        AnnotationFileError: it cannot be read, is larger than the limit in bytes, or is not UTF-8.
    """
    content = read_bytes(root, file, limit).removeprefix(_BOM)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        problem = f"byte {exc.start + 1} of the file is not valid UTF-8; save it as UTF-8"
        raise AnnotationFileError(root / file, problem, line) from exc


def read_json(root: Path, file: str, limit: int) -> Iterator[tuple[str, Any, int]]:
    """Yield the parts of a JSON file: its key, the value, and the line where it begins; see ``walk_json``.

    Raises:
        FileNotFoundError: there is no such file.
        AnnotationFileError: it cannot be read, is larger than the limit in bytes, or is not JSON.
    """
    text = read_text(root, file, limit)
    try:
        yield from walk_json(text)
    except json.JSONDecodeError as exc:
        problem = f"not valid JSON, {exc.msg} at column {exc.colno}; export or copy the file again"
        raise AnnotationFileError(root / file, problem, exc.lineno) from exc
    except (ValueError, RecursionError) as exc:
        raise AnnotationFileError(root / file, f"not valid JSON ({exc}); export the file again") from exc
