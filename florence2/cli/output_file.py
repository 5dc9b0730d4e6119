"""Files that options name for output, written whole or not at all."""

from __future__ import annotations

from pathlib import Path

from florence2.errors import ConfigurationError
from florence2.storage import write_atomic

__all__ = ["write_output"]


def write_output(file: Path, text: str) -> None:
    """Write a text; what was there before is replaced.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        write_atomic(file, text)
    except OSError as exc:
        raise ConfigurationError(f"{file}: cannot be written ({exc.strerror}); give another file") from exc
