"""The saves of a run in an object store, from which it continues when its machine is lost.

    RUN/index.json            the complete saves, and how the training ended; written last
    RUN/checkpoint-120/...    the files of a save

A failed upload does not stop the training; the next upload tries again.
"""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from florence2.storage import StateFiles, atomic_path, redact, safe_parts, write_atomic, write_object

__all__ = ["UploadedRun", "forget_old_uploads"]

logger = logging.getLogger(__name__)

_INDEX = "index.json"
_FORMAT = "florence2-run/1"
_DAY = 24 * 3600


class _DamagedIndexError(Exception):
    """The index of a run was read and is invalid. A store that cannot be read is another error."""


class UploadedRun:
    """A run's folder in an object store.

    Args:
        address: URI of the folder.
        open_files: returns its fsspec file system; called for each upload, since credentials may have expired.
        minutes: least time between two uploads, except those of a run that stops.
    """

    def __init__(self, address: str, open_files: Callable[[], Any], minutes: float) -> None:
        self._address, self._open_files, self._seconds = address, open_files, 60 * minutes
        self._uploaded_at = float("-inf")

    def push(self, saves: Collection[Path], *, now: bool, finished: Mapping[str, Any] | None = None) -> None:
        """Upload new saves, make these the saves of the run, and remove all others.

        Args:
            saves: complete ones.
            now: upload even if the last upload was a short time ago.
            finished: how the training ended; None while it runs.
        """
        if not now and time.monotonic() - self._uploaded_at < self._seconds:
            return
        try:
            self._push(saves, finished)
        except Exception as exc:  # every backend has its own exceptions; none may stop a training
            logger.warning("the run could not be uploaded to %s: %s", redact(self._address), redact(str(exc)))
        else:
            self._uploaded_at = time.monotonic()

    def pull(self, run: Path) -> None:
        """Fetch the uploaded saves into a folder without newer ones; without an upload nothing changes."""
        try:
            self._pull(run)
        except Exception as exc:  # as above
            logger.warning(
                "the upload in %s cannot be read (%s): the run starts from the beginning",
                redact(self._address),
                redact(f"{type(exc).__name__}: {exc}"),
            )

    def _push(self, saves: Collection[Path], finished: Mapping[str, Any] | None) -> None:
        files = self._open_files()
        try:
            uploaded = (_index(files, self._address) or {"saves": {}})["saves"]
        except _DamagedIndexError:  # no run can continue from it, and what was uploaded is unknown
            files.rm(self._address, recursive=True)
            uploaded = {}
        wanted = {save.name: {file.name: file.stat().st_size for file in _files_of(save)} for save in saves}
        for save in saves:
            if uploaded.get(save.name) != wanted[save.name]:
                for file in _files_of(save):
                    _put(files, file, f"{self._address}/{save.name}/{file.name}")
        index = {"format": _FORMAT, "saves": wanted, "finished": finished, "written": time.time()}
        write_object(files, f"{self._address}/{_INDEX}", json.dumps(index))
        for name, names in uploaded.items():
            if name not in wanted:
                files.rm(f"{self._address}/{name}", recursive=True)
            else:
                for gone in names.keys() - wanted[name].keys():
                    files.rm(f"{self._address}/{name}/{gone}")

    def _pull(self, run: Path) -> None:
        files = self._open_files()
        index = _index(files, self._address)
        if index is None or index["format"] != _FORMAT:
            return
        _check_names([*index["saves"], *(file for sizes in index["saves"].values() for file in sizes)])
        for name, sizes in index["saves"].items():
            with atomic_path(run / name, sole_writer=True) as partial:
                partial.mkdir()
                for file in sizes:
                    files.get_file(f"{self._address}/{name}/{file}", str(partial / file))
                shutil.rmtree(run / name, ignore_errors=True)
        if index["finished"] is not None:
            write_atomic(run / StateFiles.FINISHED, json.dumps(index["finished"]))
        logger.info("%s is fetched from %s", ", ".join(index["saves"]), redact(self._address))


def forget_old_uploads(parent: str, files: Any, days: float = 30, finished_days: float = 1) -> None:
    """Remove the uploads of runs that have not been continued for a number of days, or have a damaged index.

    Args:
        parent: URI of the folder of the runs' folders.
        files: its fsspec file system.
        days: age of unfinished runs.
        finished_days: age of finished runs, whose result is stored.
    """
    try:
        files.invalidate_cache()
        runs = [path for path in files.ls(parent, detail=False) if files.exists(f"{path}/{_INDEX}")]
    except FileNotFoundError:
        return
    except Exception as exc:  # only space is lost
        logger.warning("old runs in %s could not be listed: %s", redact(parent), redact(str(exc)))
        return
    for run in runs:
        try:
            if _is_old(files, run, days, finished_days):
                files.rm(run, recursive=True)
        except Exception as exc:  # as above; the others are removed all the same
            logger.warning("the old run in %s could not be removed: %s", redact(run), redact(str(exc)))


def _is_old(files: Any, run: str, days: float, finished_days: float) -> bool:
    try:
        index = _index(files, run)
    except _DamagedIndexError:
        return True
    return index is None or time.time() - index["written"] > _DAY * (finished_days if index["finished"] else days)


def _index(files: Any, address: str) -> dict[str, Any] | None:
    """Return the index of a run, None where there is none.

    Raises:
        _DamagedIndexError: it was read and is invalid.
    """
    try:
        content = files.cat_file(f"{address}/{_INDEX}")
    except FileNotFoundError:
        return None
    try:
        index = json.loads(content)
    except ValueError as exc:
        raise _DamagedIndexError(f"{_INDEX} is not valid JSON: {exc}") from exc
    if not isinstance(index, dict) or not {"format", "saves", "finished", "written"} <= index.keys():
        raise _DamagedIndexError(f"{_INDEX} is not an index of a run")
    return index


def _check_names(names: Collection[str]) -> None:
    """Raise for names of an index that would lead out of the run's folder."""
    for name in names:
        if safe_parts(name) != (name,):
            raise ValueError(f"{name!a} is not a name of a save or of a file in one")


def _files_of(save: Path) -> list[Path]:
    return sorted(file for file in save.iterdir() if file.is_file())


def _put(files: Any, file: Path, address: str) -> None:
    if "file" in files.protocol:
        files.makedirs(address.rpartition("/")[0], exist_ok=True)
    files.put_file(str(file), address)
