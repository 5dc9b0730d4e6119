"""Folders packed into an object store and unpacked on any machine: many small files become a few large ones.

    STORE/packed/FINGERPRINT.json      the index: which shards, and symbolic links; written last
    STORE/packed/shards/NAME.tar       about 256 MB of files, not compressed, because images already are

Everything is named by a hash of its content. For a folder that was packed before nothing is sent, an interrupted call
continues with the missing shards, and for a folder that has changed only the changed shards are sent: whether a shard
ends after a file depends on that file alone, so an added file moves no other border. The address of an index can be
given wherever a source or a base model is named.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

import fsspec  # type: ignore[import-untyped]

from florence2.errors import DatasetError
from florence2.storage.atomic import remove_atomic, write_atomic, writing
from florence2.storage.cache import cache_folder, make_once
from florence2.storage.fingerprint import Contents, contents_of, hash_files
from florence2.storage.remote import redact, translated
from florence2.storage.safe_files import open_regular

__all__ = ["is_packed", "pack", "packed_fingerprint", "unpacked", "write_object"]

logger = logging.getLogger(__name__)

_SHARD_BYTES = 256 << 20
"""Average size of a shard; the largest have four times this size, or hold one file that is larger."""

_FORMAT = "florence2-pack/1"
_ADDRESS = re.compile(r"/packed/([0-9a-f]{64})\.json")
_BLOCK = 1 << 20
_PART_BYTES = 32 << 20
"""Bytes of a shard that each thread holds in memory."""
_THREADS = 4
_TAR_BLOCK = 512
_KEPT_SECONDS = 30 * 24 * 3600
"""An unpacked folder that was not used for this long is removed, as the saves of a run are."""


def is_packed(source: str) -> bool:
    """Return whether a source is the address of a packed folder."""
    return "://" in source and _ADDRESS.search(source) is not None


def packed_fingerprint(address: str) -> str:
    """Return the fingerprint of a packed folder, which its address holds.

    Raises:
        DatasetError: it is not such an address.
    """
    match = _ADDRESS.search(address)
    if match is None:
        raise DatasetError(f"{redact(address)}: is not the address of a packed folder")
    return match[1]


def pack(
    folder: Path, store: str, *, names: Sequence[str] | None = None, files: Any = None, verify: bool = False
) -> str:
    """Pack a folder into an object store; shards that are there already are not sent.

    Args:
        folder: the folder.
        store: URI of a folder in the store.
        names: of the regular files to pack, relative to the folder; None: all, and links, see ``contents_of``.
        files: the store's fsspec file system, from a caller that has credentials; None: fsspec finds them.
        verify: hash every file again, even if its size and times have not changed.

    Returns:
        The address of the packed folder, the same for the same content.

    Raises:
        DatasetError: a file cannot be read or changes while it is packed, or the store cannot be written.
    """
    if names is None:
        contents = contents_of(folder, verify=verify)
    else:
        contents = Contents(hash_files(folder, names, verify=verify), {})
    address = f"{store.rstrip('/')}/packed/{contents.fingerprint}.json"
    with translated(address, "write"):
        files, path = _file_system(address, files)
        if files.exists(path):
            return address
    shards = list(_shards(folder, contents.hashes))
    above = f"{path.rpartition('/')[0]}/shards"
    with ThreadPoolExecutor(_THREADS) as pool, translated(address, "write"):
        sent = _all_of(pool, (partial(_send, folder, shard, files, above) for shard in shards))
        index = {
            "format": _FORMAT,
            "shards": [{"name": shard.name, "bytes": shard.tar_bytes, "files": len(shard.names)} for shard in shards],
            "links": contents.links,
        }
        write_object(files, path, json.dumps(index, indent=1))
    logger.info("%s is packed: %d of %d shards were sent to %s", folder, sum(sent), len(shards), redact(address))
    return address


def unpacked(address: str, *, files: Any = None, verify: bool = False) -> Path:
    """Return the folder that was packed, in the user's cache; one process at a time fetches it, and only once.

    When it is fetched, other unpacked folders that were not used for 30 days are removed.

    Args:
        address: what ``pack`` returned.
        files: as for ``pack``.
        verify: fetch it again, even if it is in the cache.

    Raises:
        DatasetError: it is missing, cannot be read, or its content does not match its name.
    """
    fingerprint = packed_fingerprint(address)
    folder = cache_folder("packed") / fingerprint
    if verify or not folder.is_dir():
        with _locked(folder):
            make_once(folder, lambda target: _unpack(address, fingerprint, target, files), again=verify)
        _remove_unused(folder)
    with contextlib.suppress(OSError):  # it may belong to another user and be read-only
        os.utime(folder)
    return folder


def _remove_unused(used: Path) -> None:
    """Remove the folders next to this one that were not used for long; each use updates the time of a folder."""
    for other in used.parent.glob("[0-9a-f]*"):
        with contextlib.suppress(OSError):  # another process removes it, too
            if other.is_dir() and other != used and time.time() - other.stat().st_mtime > _KEPT_SECONDS:
                remove_atomic(other)
                other.with_suffix(".lock").unlink(missing_ok=True)


@dataclass(frozen=True)
class _Shard:
    """A group of files.

    Attributes:
        names: of the files, relative to their folder.
        sizes: in bytes.
        hashes: hexadecimal SHA-256.
    """

    names: list[str]
    sizes: list[int]
    hashes: list[str]

    @property
    def name(self) -> str:
        """Return the hash of names and contents."""
        return Contents(dict(zip(self.names, self.hashes, strict=True)), {}).fingerprint

    @property
    def tar_bytes(self) -> int:
        """Return the exact size of the tar file."""
        members = (len(_header(name, size)) + size + -size % _TAR_BLOCK for name, size in self.files())
        return sum(members) + 2 * _TAR_BLOCK

    def files(self) -> Iterator[tuple[str, int]]:
        """Yield name and size of each file."""
        return zip(self.names, self.sizes, strict=True)


def _shards(folder: Path, hashes: Mapping[str, str]) -> Iterator[_Shard]:
    """Yield the files in groups; where a group ends depends on its last file, not on the files before it."""
    shard = _Shard([], [], [])
    for name in sorted(hashes, key=os.fsencode):
        try:
            size = (folder / name).stat().st_size
        except OSError as exc:
            raise _changed(folder / name) from exc
        shard.names.append(name)
        shard.sizes.append(size)
        shard.hashes.append(hashes[name])
        # Each byte ends a shard with the same probability; the hash of its file is the random number.
        drawn = int(hashes[name][:16], 16) / 2**64
        if drawn < size / _SHARD_BYTES or sum(shard.sizes) > 4 * _SHARD_BYTES:
            yield shard
            shard = _Shard([], [], [])
    if shard.names:
        yield shard


def _send(folder: Path, shard: _Shard, files: Any, above: str) -> bool:
    """Write a shard unless it is there, and return whether it was written; an incomplete one has another size."""
    path = f"{above}/{shard.name}.tar"
    with contextlib.suppress(FileNotFoundError):
        if files.info(path)["size"] == shard.tar_bytes:
            return False
    if "file" in files.protocol:  # object stores have no folders
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    with files.open(path, "wb", block_size=_PART_BYTES) as target:
        for (name, size), expected in zip(shard.files(), shard.hashes, strict=True):
            target.write(_header(name, size))
            if _copy(folder / name, target, size) != expected:
                raise _changed(folder / name)
            target.write(bytes(-size % _TAR_BLOCK))
        target.write(bytes(2 * _TAR_BLOCK))
    return True


def write_object(files: Any, path: str, text: str) -> None:
    """Write a text atomically, as an object store writes every object.

    Args:
        files: an fsspec file system.
        path: in that file system, or a URI.
        text: the content.
    """
    if "file" in files.protocol:
        file = Path(files._strip_protocol(path))
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, text)
    else:
        files.pipe_file(path, text.encode())


def _header(name: str, size: int) -> bytes:
    """Return the header of a file in a tar file; times, owners and permissions are not packed."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _copy(file: Path, target: IO[bytes], size: int) -> str:
    """Copy a file of a known size and return its hash, or an empty text if its size has changed."""
    digest = hashlib.sha256()
    try:
        with open_regular(file) as source:
            while block := source.read(_BLOCK):
                digest.update(block)
                size -= len(block)
                if size < 0:
                    break
                target.write(block)
    except OSError as exc:
        raise DatasetError(f"{file}: cannot be read ({exc.strerror}); check its permissions") from exc
    return "" if size else digest.hexdigest()


def _changed(file: Path) -> DatasetError:
    return DatasetError(f"{file}: changed or was removed while it was packed; run again when no program writes there")


def _unpack(address: str, fingerprint: str, target: Path, files: Any) -> None:
    with translated(address):
        files, path = _file_system(address, files)
        index = json.loads(files.cat_file(path))
        if index.get("format") != _FORMAT:
            raise DatasetError(f"{redact(address)}: format {index.get('format')!r} is not {_FORMAT!r}; pack it again")
        target.mkdir()
        paths = [f"{path.rpartition('/')[0]}/shards/{shard['name']}.tar" for shard in index["shards"]]
        with ThreadPoolExecutor(_THREADS) as pool:
            parts = _all_of(pool, (partial(_extract, files, path, target) for path in paths))
        hashes = {name: value for part in parts for name, value in part.items()}
        _make_links(index["links"], target)
    if Contents(hashes, index["links"]).fingerprint != fingerprint:
        raise DatasetError(
            f"{redact(address)}: its content does not match its name; remove the index and the shards, then submit "
            "the folder again"
        )


def _make_links(links: Mapping[str, str], target: Path) -> None:
    """Make symbolic links, after all files and none below another link, so that no file is written through a link."""
    for name, text in links.items():
        path = _path_of(target, name)
        if not links.keys().isdisjoint(map(str, PurePosixPath(name).parents)):
            raise DatasetError(f"{name!a} leads through a link")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(text)


def _extract(files: Any, path: str, target: Path) -> dict[str, str]:
    """Write the files of a shard and return their hashes."""
    hashes = {}
    with (
        files.open(path, "rb", block_size=_PART_BYTES) as packed,
        tarfile.open(fileobj=packed, mode="r|", bufsize=_BLOCK, encoding="utf-8", errors="surrogateescape") as shard,
    ):
        while (member := shard.next()) is not None:
            shard.members = []  # type: ignore[attr-defined]  # else it keeps all of them
            content = shard.extractfile(member) if member.isreg() else None
            if content is None:
                raise DatasetError(f"{member.name!a} is not a regular file")
            file, digest = _path_of(target, member.name), hashlib.sha256()
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as handle:
                while block := content.read(_BLOCK):
                    digest.update(block)
                    handle.write(block)
            hashes[member.name] = digest.hexdigest()
    return hashes


def _path_of(target: Path, name: str) -> Path:
    """Return the path of a file, which may have any name but must lie in the target."""
    if name.startswith("/") or {"", ".", ".."} & set(name.split("/")):
        raise DatasetError(f"{name!a} leads out of the folder")
    return target / name


def _file_system(address: str, files: Any) -> tuple[Any, str]:
    """Return the file system of an address, and the path there."""
    if files is None:
        return fsspec.core.url_to_fs(address)  # type: ignore[no-any-return]
    return files, files._strip_protocol(address)


def _all_of(pool: ThreadPoolExecutor, tasks: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run all tasks; after the first error no further task begins."""
    futures = [pool.submit(task) for task in tasks]
    try:
        return [future.result() for future in futures]
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make other processes of this machine wait, so that they find the folder and do not fetch it as well."""
    try:
        import fcntl
    except ImportError:  # without locks, as on Windows, both fetch it and the first to end wins
        yield
        return
    with writing(folder, "set XDG_CACHE_HOME to another folder", DatasetError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock = folder.with_suffix(".lock").open("ab")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
