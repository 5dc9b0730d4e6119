"""Files of a run: there whole or not at all, also for who reads them while it goes on."""

from __future__ import annotations

from pathlib import Path

from florence2.errors import ConfigurationError
from florence2.storage import atomic as whole_files

__all__ = ["write_run_file"]


def write_run_file(file: Path, content: str | bytes) -> None:
    """Write a file beside its place, then put it there; its folder is made if it is missing.

    Raises:
        ConfigurationError: it cannot be written; says why.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        whole_files.write_atomic(file, content)
    except OSError as exc:
        raise ConfigurationError(f"{file}: cannot be written: {exc.strerror}; free space, or move the run") from exc
