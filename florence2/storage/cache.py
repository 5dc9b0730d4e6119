"""Where what can be made again is kept: the user's cache folder."""

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

    Args:
        name: what is kept there, for example "datasets".

    Raises:
        DatasetError: the user has no home folder and no cache is named.
    """
    try:
        base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError as exc:
        raise DatasetError("the user has no home folder for a cache; set XDG_CACHE_HOME to a folder") from exc
    return Path(base).absolute() / "florence2" / name


def make_once(folder: Path, make: Callable[[Path], None], *, again: bool = False) -> Path:
    """Return a folder of the cache, made if it is not there yet; it appears in one move when it is complete.

    Args:
        folder: where it is kept.
        make: makes the folder that it is given; may be called by several processes, one of which wins.
        again: make it anew even if it is there.

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
    """Make a folder and put it into its place; one that is made again goes when the new one is complete."""
    made, old = False, None
    try:
        with atomic_path(folder) as partial:
            make(partial)
            made = True
            if again and folder.is_dir():
                old = folder.rename(partial.with_name(f"{partial.name}-old"))
    except OSError:
        # Another process finished the same folder first.
        if not made or not folder.is_dir():
            raise
    finally:
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
