"""The folder of a run that is under way: what it is a run of, and saves from which it can go on after a kill.

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
_SIGNS_OF_FULL = ("No space left", "iostream error", "unexpected pos")  # of safetensors; of torch.save
_LOCK_SECONDS = 8.0
"""Loader processes of a killed run hold its lock until they notice."""


@dataclass(frozen=True)
class RunStorage:
    """Where a run is kept besides the checkpoint of its best epoch, and what it is a run of.

    Attributes:
        folder: for the saves; made if absent.
        identity: what the result depends on, by name; a run of anything else in the folder is refused.
        uploaded: where the saves are copied to, so that the run can continue on another machine.
        latest: folder for a checkpoint of the last epoch besides the best one.
        keep: leave the folder with the best weights in it when the run has ended, so that another call returns them
            again without a training: for callers who have yet to store the checkpoint. Else it is removed.
    """

    folder: Path
    identity: Mapping[str, str] = field(default_factory=dict)
    uploaded: UploadedRun | None = None
    latest: Path | None = None
    keep: bool = False


class RunState:
    """A run's folder; a context manager that keeps other processes out of it.

    Args:
        folder: made if absent.
        identity: all that the result depends on, by name.
        uploaded: where the saves go as well, and come from where this folder holds none.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], uploaded: UploadedRun | None = None) -> None:
        self.folder, self._uploaded = folder, uploaded
        self._identity = {name: str(value) for name, value in identity.items()}
        self._lock: int | None = None
        self._unlock: Callable[[], None] | None = None

    def __enter__(self) -> RunState:
        """Take the folder.

        Raises:
            TrainingError: it is a run of something else, another process trains in it, or it cannot be written.
        """
        try:
            with writing(self.folder, "give another folder", TrainingError):
                self.folder.mkdir(parents=True, exist_ok=True)
                self._take()
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
        """Tell whether there is a complete save after a step."""
        return _is_complete(self.save_of(step))

    def complete(self, save: Path, needed: Iterable[int], *, stopping: bool = False) -> None:
        """Declare a save complete, once it is on the disk for good, and remove those that are no longer needed.

        Args:
            save: the folder.
            needed: steps whose saves are kept besides this one.
            stopping: nothing comes after it: it is uploaded whether or not another was a short time ago.
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
        """Write down how the training ended, and keep nothing but the weights of the best save and of the last one.

        Args:
            best_step: of the best save.
            last_step: of the last one; None: it is not kept.
            facts: what else is to be known.
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
        """Return what was written down at the end; None while there is none."""
        return _read(self.folder / StateFiles.FINISHED)

    def remove(self) -> None:
        """Delete the folder: the run's result is elsewhere."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _saves(self) -> list[Path]:
        return [
            path
            for path in self.folder.glob(f"{StateFiles.SAVE_PREFIX}*")
            if path.name.removeprefix(StateFiles.SAVE_PREFIX).isdecimal()
        ]

    def _take(self) -> None:
        self._lock = os.open(self.folder / StateFiles.LOCK, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0))
        try:
            import fcntl
        except ImportError:
            return  # without locks, as on Windows, nobody is kept out
        deadline = time.monotonic() + _LOCK_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise TrainingError(f"{self.folder}: another process trains here; wait for it or stop it") from None
                time.sleep(0.1)
            else:
                self._unlock = partial(fcntl.flock, self._lock, fcntl.LOCK_UN)
                return

    def _release(self) -> None:
        if self._unlock is not None:
            self._unlock()  # closing would leave it to forked processes
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
            f"{name}: {before.get(name)} then, {self._identity.get(name)} now"
            for name in names
            if before.get(name) != self._identity.get(name)
        ]
        if others:
            listed = "\n  ".join(others)
            raise TrainingError(
                f"{self.folder} is a run of something else; give what it was started with, or another folder:"
                f"\n  {listed}"
            )


def forget_old_runs(parent: Path, days: float = 30, finished_days: float = 1) -> None:
    """Delete the folders of runs that nobody has gone on with for so long.

    Args:
        parent: folder of the runs' folders.
        days: for those that can go on.
        finished_days: for those that have ended: their result has long been stored.
    """
    for run in (file.parent for file in parent.glob("*/" + StateFiles.IDENTITY)):
        with contextlib.suppress(OSError):  # another process forgets it, too
            newest = max(path.stat().st_mtime for path in run.iterdir())
            if time.time() - newest > 24 * 3600 * (finished_days if (run / StateFiles.FINISHED).exists() else days):
                shutil.rmtree(run, ignore_errors=True)


def is_full(error: BaseException) -> bool:
    """Tell whether an error, or the one behind it, says that a disk is full; libraries hide its number in words."""
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
    with file.open("rb+") as stream:  # Windows flushes only what it may write
        os.fsync(stream.fileno())
