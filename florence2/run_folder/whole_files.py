"""Files that are there whole or not at all, also for who reads them while a run goes on."""

from __future__ import annotations

from pathlib import Path

from florence2.errors import ConfigurationError

__all__ = ["write_whole"]


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file beside its place, then put it there; its folder is made if it is missing.

    Raises:
        ConfigurationError: it cannot be written; says why.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(file)
    except OSError as exc:
        raise ConfigurationError(f"{file}: cannot be written: {exc.strerror}; free space, or move the run") from exc
