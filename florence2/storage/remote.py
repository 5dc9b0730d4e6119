"""Data sets behind a URI: fetched into a local folder through fsspec; unchanged files are not fetched again."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import fsspec  # type: ignore[import-untyped]

from florence2.errors import DatasetError
from florence2.storage.archives import is_archive
from florence2.storage.atomic import scratch_path, writing
from florence2.storage.file_index import FileIndex
from florence2.storage.safe_names import safe_parts
from florence2.storage.snapshots import Snapshots

__all__ = ["fetch", "redact", "translated", "version_of"]

logger = logging.getLogger(__name__)

_THREADS = 8
_REMEMBERED_FILES = 200
_LOG_SECONDS = 30.0
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}
_VERSION_KEYS = ("ETag", "etag", "generation", "md5Hash", "checksum", "Content-MD5", "content_md5", "Digest")
_NO_CONNECTION = "no connection; check the host, the port and the network, then run again"
_TIME_KEYS = ("LastModified", "Last-Modified", "last_modified", "updated", "mtime", "modified", "created")


def redact(text: str) -> str:
    """Return a URI, or a text with URIs, in which user, password and query are replaced, because they may be secret."""
    return re.sub(r"\?[^\s'\"]+", "?***", re.sub(r"(?<=://)[^/\s?#'\"]*@", "***@", text))


def fetch(uri: str, folder: Path, *, verify: bool = False) -> Path:
    """Fetch the files behind a URI into a local folder, in which nothing else may be kept.

    Each state of the source has a snapshot, a folder of its own, so the folder that an earlier call returned does not
    change with the source. Only changed files are fetched; after an interrupt the next call continues. A snapshot that
    no call has returned for 30 days is removed by the next call.

    Args:
        uri: of a folder, or of an archive (see ``is_archive``).
        folder: for the files and their index; made if it is missing.
        verify: fetch every file again, even if its size and version have not changed.

    Returns:
        The local folder with the same files, or the local archive. Equal files always have the same path.

    Raises:
        DatasetError: nothing is there, it cannot be read, or a name in it leads out of the folder. No message holds
            user, password or query of the URI.
    """
    with translated(uri):
        files, listing, is_file = _list_source(uri)
    targets = {name: "/".join(_parts_of(name, uri)) for name in listing}
    _refuse_clashes(targets, uri)
    sources = {targets[name]: info for name, info in listing.items()}
    with writing(folder, "check space and permissions", DatasetError):
        folder.mkdir(parents=True, exist_ok=True)
        with FileIndex(folder / "index.sqlite") as index:
            snapshots = Snapshots(folder, index)
            known = {} if verify else snapshots.known({target: _version(info) for target, info in sources.items()})
            waiting = {target: info for target, info in sources.items() if target not in known}
            fetched = _download(files, waiting, folder, uri, snapshots)
            snapshot = snapshots.snapshot(known | fetched)
    return snapshot / next(iter(sources)) if is_file else snapshot


def version_of(uri: str) -> str | None:
    """Return the versions that a server reports for the files behind a URI, without fetching them.

    Args:
        uri: as ``fetch`` takes it.

    Returns:
        A text that changes with any of the files; None if the server reports no version for one of them.

    Raises:
        DatasetError: as ``fetch``.
    """
    with translated(uri):
        _, listing, _ = _list_source(uri)
    versions = {name: _version(info) for name, info in listing.items()}
    return json.dumps(sorted(versions.items())) if all(versions.values()) else None


def _list_source(uri: str) -> tuple[Any, dict[str, dict[str, Any]], bool]:
    """Return the file system, the information on each file by its name, and whether the URI is that of an archive."""
    files, path = fsspec.core.url_to_fs(uri, **_options(uri))
    # fsspec keeps listings as long as the process lives.
    files.invalidate_cache()
    is_file = is_archive(urlsplit(uri).path) and (info := files.info(path))["type"] == "file"
    return files, ({Path(urlsplit(path).path).name: info} if is_file else _list_folder(files, path, uri)), is_file


def _options(uri: str) -> dict[str, Any]:
    """Return fsspec's options; without them a download over http has five minutes in all."""
    if not uri.startswith(("http://", "https://")):
        return {}
    from aiohttp import ClientTimeout  # slow to import and rarely used

    return {"client_kwargs": {"timeout": ClientTimeout(total=None, sock_connect=30, sock_read=60)}}


def _list_folder(files: Any, path: str, uri: str) -> dict[str, dict[str, Any]]:
    """Return the information on the files below a path, by their names relative to it."""
    if {"http", "https"} & {files.protocol, *files.protocol}:
        raise DatasetError(
            f"{redact(uri)}: a web server does not list folders; give the URL of a .zip or .tar.gz archive"
        )
    found = files.find(path, detail=True)
    above = path.rstrip("/") + "/"
    if path in found:
        raise DatasetError(f"{redact(uri)}: is a single file; give a folder, or a .zip or .tar.gz archive")
    # Object stores mark an empty folder by a key that ends in a slash.
    listing = {
        name.removeprefix(above): info
        for name, info in found.items()
        if info["type"] == "file" and not name.endswith("/")
    }
    if not listing:
        raise FileNotFoundError(path)
    return listing


def _parts_of(name: str, uri: str) -> tuple[str, ...]:
    try:
        parts = safe_parts(name)
    except ValueError as exc:
        raise DatasetError(f"{redact(uri)}: {name!a} {exc}; rename or remove it there") from None
    if not parts:
        raise DatasetError(f"{redact(uri)}: {name!a} is not a file name; rename or remove it there")
    return parts


def _refuse_clashes(targets: Mapping[str, str], uri: str) -> None:
    """Raise if two names give one file, or one name gives both a file and a folder."""
    folders = {above for target in set(targets.values()) for above in _folders_of(target)}
    seen: set[str] = set()
    for name, target in targets.items():
        if target in seen or target in folders:
            raise DatasetError(
                f"{redact(uri)}: {name!a} is there twice, or as a file and as a folder; rename or remove one there"
            )
        seen.add(target)


def _folders_of(target: str) -> Iterator[str]:
    position = target.find("/")
    while position != -1:
        yield target[:position]
        position = target.find("/", position + 1)


def _version(info: Mapping[str, Any]) -> str:
    """Return what changes when the file does, empty if the server says nothing that would."""
    keys = [key for key in _VERSION_KEYS if info.get(key)] or [key for key in _TIME_KEYS if info.get(key)]
    return json.dumps([info.get("size"), *((key, str(info[key])) for key in keys)]) if keys else ""


def _download(
    files: Any, waiting: Mapping[str, Mapping[str, Any]], folder: Path, uri: str, snapshots: Snapshots
) -> dict[str, str]:
    """Fetch files in several threads, and return their hashes; after an error no further file is begun."""
    fetched: list[tuple[str, tuple[str, str]]] = []

    def fetch_one(target: str) -> None:
        info = waiting[target]
        expected = info.get("size")
        with scratch_path(folder) as partial:
            with translated(uri):
                files.get_file(info["name"], str(partial))
            if expected is not None and partial.stat().st_size != expected:
                raise DatasetError(f"{redact(uri)}: {target!a} changed or was cut off while it was read; run again")
            fetched.append((target, (_version(info), snapshots.keep(partial))))

    pool = ThreadPoolExecutor(_THREADS)
    remembered, logged_at = 0, time.monotonic()
    try:
        futures = [pool.submit(fetch_one, target) for target in waiting]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            if len(fetched) - remembered >= _REMEMBERED_FILES:
                fresh = fetched[remembered:]
                snapshots.remember(dict(fresh))
                remembered += len(fresh)
            if time.monotonic() - logged_at > _LOG_SECONDS:
                logged_at = time.monotonic()
                logger.info("%s: %d of %d files fetched", redact(uri), done, len(futures))
    finally:
        pool.shutdown(cancel_futures=True)
        snapshots.remember(dict(fetched[remembered:]))
    return {target: sha256 for target, (_, sha256) in fetched}


def _why_nothing(cause: BaseException | None) -> str:
    """Return why nothing was found; fsspec reports every failure of a web server as a missing file with its cause."""
    status = getattr(cause, "status", None)
    if status in (401, 403):
        return f"the server refused access (status {status}); check the credentials or the signature of the URL"
    if status is not None and status != 404:
        return f"the server answered with status {status}; try again later, or contact its operator"
    if isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError):
        return _NO_CONNECTION
    return "nothing is there; check the spelling of the address"


@contextlib.contextmanager
def translated(uri: str, doing: Literal["read", "write"] = "read") -> Iterator[None]:
    """Turn what fsspec and its backends raise into an error that names the URI and the remedy.

    The error has no cause: its text may hold the URI with secrets, and tracebacks are written to logs.

    Args:
        uri: the URI that is read or written.
        doing: whether it is read or written.
    """
    shown, past = redact(uri), {"read": "read", "write": "written"}[doing]
    try:
        yield
    except DatasetError:
        raise
    except ImportError:
        protocol = uri.partition("://")[0].rpartition("::")[2]
        package = (
            f"'florence2-finetune[{_EXTRAS[protocol]}]'" if protocol in _EXTRAS else f"what fsspec needs for {protocol}"
        )
        raise DatasetError(f"{shown}: reading {protocol}:// needs another package; pip install {package}") from None
    except FileNotFoundError as exc:
        raise DatasetError(f"{shown}: {_why_nothing(exc.__cause__)}") from None
    except PermissionError:
        raise DatasetError(
            f"{shown}: access was refused; check that the credentials allow to list and to {doing}"
        ) from None
    except Exception as exc:  # every backend has exceptions of its own
        detail = redact(f"{type(exc).__name__}: {exc}").splitlines()[0][:300]
        raise DatasetError(
            f"{shown}: cannot be {past} ({detail}); check the address, network and credentials"
        ) from None
