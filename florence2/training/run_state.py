"""The folder of an unfinished run: its identity, and the saves from which it continues after a kill.

``florence2.storage.run_layout`` lists its files.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from florence2.errors import TrainingError
from florence2.storage import StateFiles, atomic_path, writing
from florence2.training.uploaded_run import UploadedRun

__all__ = ["RunState", "RunStorage", "forget_old_runs", "is_full"]

_OF_WEIGHTS = (".safetensors", ".json")
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SIGNS_OF_FULL = ("No space left", "iostream error", "unexpected pos")  # of safetensors, of torch.save
_LOCK_SECONDS = 8.0
"""Loader processes of a killed run hold its lock until they end."""


@dataclass(frozen=True)
class RunStorage:
    """The folder of a run, its identity, and what is kept besides the checkpoint of its best epoch.

    Attributes:
        folder: for the saves; made if absent.
        identity: what the result depends on, by name; a folder of a run with another identity is refused.
        uploaded: receives copies of the saves, so that the run can continue on another machine.
        latest: folder for a checkpoint of the last epoch besides the best one.
        keep: keep the folder with the best weights when the run has ended, so that another call returns them without a
            training, for callers that have not stored the checkpoint yet. Otherwise the folder is removed.
    """

    folder: Path
    identity: Mapping[str, str] = field(default_factory=dict)
    uploaded: UploadedRun | None = None
    latest: Path | None = None
    keep: bool = False


class RunState:
    """The folder of a run; a context manager that locks out other processes.

    Args:
        folder: made if absent.
        identity: everything on which the result depends, by name.
        uploaded: receives copies of the saves, and supplies them where this folder has none.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], uploaded: UploadedRun | None = None) -> None:
        self.folder, self._uploaded = folder, uploaded
        self._identity = {name: str(value) for name, value in identity.items()}
        self._lock: int | None = None
        self._unlock: Callable[[], None] | None = None

    def __enter__(self) -> RunState:
        """Lock the folder, and fetch uploaded saves where it has none.

        Raises:
            TrainingError: it is the folder of another run, another process trains in it, or it cannot be written.
        """
        try:
            with writing(self.folder, "give another folder", TrainingError):
                self.folder.mkdir(parents=True, exist_ok=True)
                self._acquire()
                self._compare()
        except BaseException:
            self._release()
            raise
        for save in self._saves():
            if not _is_complete(save):
                shutil.rmtree(save, ignore_errors=True)
        if self._uploaded is not None and self.latest is None and self.finished is None:
            self._uploaded.pull(self.folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    @property
    def latest(self) -> Path | None:
        """Return the newest complete save."""
        return max(filter(_is_complete, self._saves()), key=_step_of, default=None)

    def save_of(self, step: int) -> Path:
        """Return the folder of the save after a step."""
        return self.folder / f"{StateFiles.SAVE_PREFIX}{step}"

    def is_saved(self, step: int) -> bool:
        """Return whether there is a complete save after a step."""
        return _is_complete(self.save_of(step))

    def complete(self, save: Path, needed: Iterable[int], *, stopping: bool = False) -> None:
        """Flush a save to the disk, mark it complete, and remove saves that are no longer needed.

        Args:
            save: the folder.
            needed: steps whose saves are kept besides this one.
            stopping: whether it is the last one, which is uploaded at once.
        """
        sizes = {file.name: file.stat().st_size for file in save.iterdir() if file.is_file()}
        for name in sizes:
            _flush(save / name)
        _write(save / StateFiles.SAVE_COMPLETE, sizes)
        kept = {self.save_of(step) for step in needed} | {save}
        for other in self._saves():
            if other not in kept:
                shutil.rmtree(other, ignore_errors=True)
        if self._uploaded is not None:
            self._uploaded.push([other for other in self._saves() if other in kept], now=stopping)

    def finish(self, best_step: int, *, last_step: int | None = None, **facts: Any) -> None:
        """Record the end of the training, and keep only the weights of the best save and of the last one.

        Args:
            best_step: step of the best save.
            last_step: step of the last save; None: it is not kept.
            facts: further values to record.
        """
        _write(self.folder / StateFiles.FINISHED, {"best_step": best_step, "last_step": last_step, **facts})
        kept = [self.save_of(step) for step in {best_step, last_step} if step is not None]
        for save in self._saves():
            if save not in kept:
                shutil.rmtree(save, ignore_errors=True)
        for save in kept:
            weights = [
                file for file in save.iterdir() if file.suffix in _OF_WEIGHTS and file.name != StateFiles.SAVE_COMPLETE
            ]
            _write(save / StateFiles.SAVE_COMPLETE, {file.name: file.stat().st_size for file in weights})
            for other in save.iterdir():
                if other.is_file() and other not in weights and other.name != StateFiles.SAVE_COMPLETE:
                    other.unlink()
                elif other.is_dir():
                    shutil.rmtree(other, ignore_errors=True)
        if self._uploaded is not None:
            self._uploaded.push(kept, now=True, finished=self.finished)

    @property
    def finished(self) -> dict[str, Any] | None:
        """Return the record of the end; None while the training has not ended."""
        return _read(self.folder / StateFiles.FINISHED)

    def remove(self) -> None:
        """Remove the folder, after the result was written elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _saves(self) -> list[Path]:
        return [
            path
            for path in self.folder.glob(f"{StateFiles.SAVE_PREFIX}*")
            if path.name.removeprefix(StateFiles.SAVE_PREFIX).isdecimal()
        ]

    def _acquire(self) -> None:
        self._lock = os.open(self.folder / StateFiles.LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0))
        try:
            import fcntl
        except ImportError:
            return  # without locks, as on Windows, other processes are not locked out
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TrainingError(
                        f"{self.folder}: another process trains in this folder; wait for it or stop it"
                    ) from None
                time.sleep(0.1)
            else:
                self._unlock = partial(fcntl.flock, self._lock, fcntl.LOCK_UN)
                return

    def _release(self) -> None:
        if self._unlock is not None:
            self._unlock()  # after closing alone, forked processes would still hold it
            self._unlock = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _compare(self) -> None:
        before = _read(self.folder / StateFiles.IDENTITY)
        if before is None:
            _write(self.folder / StateFiles.IDENTITY, self._identity)
            return
        names = sorted({*before, *self._identity})
        others = [
            f"{name}: {before.get(name)} before, {self._identity.get(name)} now"
            for name in names
            if before.get(name) != self._identity.get(name)
        ]
        if others:
            listed = "\n  ".join(others)
            raise TrainingError(
                f"{self.folder} is the folder of another run; give the settings of that run, or another folder:"
                f"\n  {listed}"
            )


def forget_old_runs(parent: Path, days: float = 30, finished_days: float = 1) -> None:
    """Remove the folders of runs that have not been continued for a number of days.

    Args:
        parent: folder of the runs' folders.
        days: age of unfinished runs.
        finished_days: age of finished runs, whose result is stored.
    """
    for run in (file.parent for file in parent.glob("*/" + StateFiles.IDENTITY)):
        with contextlib.suppress(OSError):  # another process removes it at the same time
            newest = max(path.stat().st_mtime for path in run.iterdir())
            if time.time() - newest > 24 * 3600 * (finished_days if (run / StateFiles.FINISHED).exists() else days):
                shutil.rmtree(run, ignore_errors=True)


def is_full(error: BaseException) -> bool:
    """Return whether an error or its cause is a full disk; some libraries give it as text only."""
    while error is not None:
        if getattr(error, "errno", None) in _FULL or any(sign in str(error) for sign in _SIGNS_OF_FULL):
            return True
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return False


def _is_complete(save: Path) -> bool:
    sizes = _read(save / StateFiles.SAVE_COMPLETE)
    return sizes is not None and all(
        (save / name).is_file() and (save / name).stat().st_size == size for name, size in sizes.items()
    )


def _step_of(save: Path) -> int:
    return int(save.name.removeprefix(StateFiles.SAVE_PREFIX))


def _read(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return values if isinstance(values, dict) else None


def _write(file: Path, values: Mapping[str, Any]) -> None:
    """Write JSON so that a kill or a power cut leaves the old file or the new one."""
    with atomic_path(file, sole_writer=True) as partial:
        partial.write_text(json.dumps(values, indent=2), encoding="utf-8")
        _flush(partial)


def _flush(file: Path) -> None:
    with file.open("rb+") as stream:  # Windows flushes only files that are open for writing
        os.fsync(stream.fileno())
