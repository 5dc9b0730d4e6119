"""A new folder that is there as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from florence2.errors import ConfigurationError
from florence2.storage import whole

__all__ = ["new_folder"]


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Yield a folder to write into; it gets its name when the block ends, and is gone if the block fails.

    Raises:
        ConfigurationError: the name is taken, or the folder cannot be written, for example because the disk is full.
    """
    if os.path.lexists(output):
        raise ConfigurationError(f"{output}: exists already; nothing is overwritten, give another name")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with whole(output) as partial:
            partial.mkdir()
            yield partial
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise ConfigurationError(
            f"{output}: cannot be written ({reason}); nothing was left there, give a place with room that is yours"
        ) from exc
