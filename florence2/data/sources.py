"""Where a data set lies: a folder of the user, or a built-in set that is generated on first use."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import PIL

from florence2.data import builtin
from florence2.errors import DatasetError

__all__ = ["locate"]


def locate(source: str) -> Path:
    """Return the folder of a data set.

    Args:
        source: a folder, or the name of a built-in set such as ``builtin:cards``.

    Returns:
        An absolute path. A built-in set is generated into the user's cache if it is not there yet.

    Raises:
        DatasetError: there is no built-in set of that name.
    """
    if not source.startswith("builtin:"):
        return Path(os.path.expanduser(source)).absolute()  # noqa: PTH111 - Path.expanduser raises for unknown users
    if source not in builtin.BUILTIN_DATASETS:
        raise DatasetError(f"unknown built-in data set {source!r}; there is: {', '.join(builtin.BUILTIN_DATASETS)}")
    return builtin.materialize(source, _cache_folder() / _generator_digest())


def _cache_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "florence2" / "datasets"


def _generator_digest() -> str:
    """Identify the code that draws: an edit of it, or another Pillow, makes another set."""
    digest = hashlib.sha256(PIL.__version__.encode())
    for file in sorted(Path(builtin.__file__).parent.rglob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
