"""Make a local folder of the source of a data set: a folder, an archive, a URI, or a built-in set."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

import PIL

import florence2.builtin
from florence2.builtin import BUILTIN_DATASETS, materialize
from florence2.errors import DatasetError
from florence2.storage import cache_folder, extract, fetch, hash_files, is_archive, is_packed, make_once, unpacked

__all__ = ["is_local", "is_local_archive", "local_path", "locate"]

_SPLIT_FOLDERS = frozenset({"train", "valid", "val", "validation", "test"})


def locate(source: str, *, verify: bool = False) -> Path:
    """Return the folder of a data set.

    What is not a folder yet is copied into the user's cache: an archive is extracted once, by the hash of its bytes;
    a packed folder is unpacked once; a URI is fetched at each call if its content changed, into another folder than
    before.

    Args:
        source: a folder, a .zip or .tar file, a URI that fsspec reads, or a built-in set such as ``builtin:cards``.
        verify: hash an archive and fetch remote files again, also if their sizes and times are unchanged.

    Returns:
        An absolute path. Where an archive holds nothing but a folder, that folder.

    Raises:
        DatasetError: there is no such built-in set, or an archive or a URI cannot be read.
    """
    if source.startswith("builtin:"):
        if source not in BUILTIN_DATASETS:
            raise DatasetError(f"unknown built-in data set {source!r}; known: {', '.join(BUILTIN_DATASETS)}")
        return materialize(source, cache_folder("datasets") / _generator_digest())
    if is_packed(source):
        return unpacked(source, verify=verify)
    path = local_path(source)
    if path is None:
        key = hashlib.sha256(source.encode()).hexdigest()
        path = fetch(source, cache_folder("mirrors") / key[:32], verify=verify)
    if not is_archive(path.name) or path.is_dir():
        return path
    if not path.is_file():
        raise DatasetError(f"{path}: no such archive; give a folder, a .zip or .tar file, or a URI")
    return _extracted(path, verify=verify)


def is_local(source: str) -> bool:
    """Return whether a source is on this machine: a folder or an archive, neither built in nor behind a URI."""
    return not source.startswith("builtin:") and not is_packed(source) and local_path(source) is not None


def is_local_archive(source: str) -> bool:
    """Return whether a source is an archive on this machine."""
    path = local_path(source) if is_local(source) else None
    return path is not None and is_archive(path.name) and not path.is_dir()


def local_path(source: str) -> Path | None:
    """Return the absolute path that a source names; None if it is a URI of anything but a local file."""
    protocol, separator, _ = source.partition("://")
    if separator and protocol in ("file", "local"):
        return Path(unquote(urlsplit(source).path)).absolute()
    if separator:
        return None
    return Path(os.path.expanduser(source)).absolute()  # noqa: PTH111 - Path.expanduser raises for unknown users


def _extracted(archive: Path, *, verify: bool) -> Path:
    """Return the folder with the content of an archive; it does not exist before it is complete."""
    sha256 = hash_files(archive.parent, [archive.name], verify=verify)[archive.name]
    folder = cache_folder("datasets") / sha256
    make_once(folder, lambda target: extract(archive, target), again=verify)
    return _inner(folder)


def _inner(folder: Path) -> Path:
    """Return the folder below that holds more than one folder, as archives of a folder have one; macOS adds others."""
    while True:
        entries = [entry for entry in folder.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
        if len(entries) != 1 or not entries[0].is_dir() or entries[0].name.lower() in _SPLIT_FOLDERS:
            return folder
        folder = entries[0]


def _generator_digest() -> str:
    """Identify the code that draws the images: an edit of it, or another Pillow, makes another set."""
    digest = hashlib.sha256(PIL.__version__.encode())
    for file in sorted(Path(florence2.builtin.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
