"""Where what can be made again is kept: the user's cache folder."""

from __future__ import annotations

import os
from pathlib import Path

from florence2.errors import DatasetError

__all__ = ["cache_folder"]


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
