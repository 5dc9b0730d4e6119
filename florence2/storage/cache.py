"""The user's cache folder, for what can be made or fetched again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from florence2.errors import DatasetError
from florence2.storage.atomic import atomic_path, remove_unfinished, writing

__all__ = ["cache_folder", "make_once"]


def cache_folder(name: str) -> Path:
    """Return the absolute path of a folder in the user's cache; it need not exist.

    The cache is ``$XDG_CACHE_HOME/florence2`` where that variable is set, on every system. Otherwise it is what the
    system has for caches: ``~/.cache/florence2`` on Linux.

    Args:
        name: of the folder, for example "datasets".

    Raises:
        DatasetError: the user has no home folder, and XDG_CACHE_HOME is not set.
    """
    if base := os.environ.get("XDG_CACHE_HOME"):
        return Path(base).absolute() / "florence2" / name
    import platformdirs

    try:
        return platformdirs.user_cache_path("florence2", appauthor=False) / name
    except RuntimeError as exc:
        raise DatasetError("the user has no home folder for a cache; set XDG_CACHE_HOME to a folder") from exc


def make_once(folder: Path, make: Callable[[Path], None], *, again: bool = False) -> Path:
    """Return a folder of the cache, made if it is not there yet; it appears in one move when it is complete.

    Args:
        folder: its final path.
        make: makes the folder at the path that it is given; several processes may call it, and the first to end wins.
        again: make it again even if it is there.

    Raises:
        DatasetError: the cache cannot be written.
    """
    if folder.is_dir() and not again:
        return folder
    with writing(folder, "free space, or set XDG_CACHE_HOME to another folder", DatasetError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        remove_unfinished(folder.parent)
        _make(folder, make, again)
    return folder


def _make(folder: Path, make: Callable[[Path], None], again: bool) -> None:
    """Make a folder and rename it to its path; one that is made again is removed when the new one is complete."""
    made, old = False, None
    try:
        with atomic_path(folder) as partial:
            make(partial)
            made = True
            if again and folder.is_dir():
                old = folder.rename(partial.with_name(f"{partial.name}-old"))
    except OSError:
        # Another process completed the same folder first.
        if not made or not folder.is_dir():
            raise
    finally:
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
