"""Files of a run: there whole or not at all, also for who reads them while it goes on."""

from __future__ import annotations

from pathlib import Path

from florence2.data import whole_files
from florence2.errors import ConfigurationError

__all__ = ["write_whole"]


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file beside its place, then put it there; its folder is made if it is missing.

    Raises:
        ConfigurationError: it cannot be written; says why.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write_whole(file, content)
    except OSError as exc:
        raise ConfigurationError(f"{file}: cannot be written: {exc.strerror}; free space, or move the run") from exc
