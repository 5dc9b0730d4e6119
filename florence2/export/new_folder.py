"""A new folder that is there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from florence2.errors import ConfigurationError

__all__ = ["new_folder"]


@contextmanager
def new_folder(output: Path) -> Iterator[Path]:
    """Yield a folder to write into; it gets its name when the block ends, and is gone if the block fails.

    Raises:
        ConfigurationError: the name is taken, or the folder cannot be written, for example because the disk is full.
    """
    if os.path.lexists(output):
        raise ConfigurationError(f"{output}: exists already; nothing is overwritten, give another name")
    partial = output.parent / f".{output.name}.{uuid4().hex[:8]}"
    try:
        partial.mkdir(parents=True)
        yield partial
        partial.rename(output)
    except OSError as exc:
        reason = exc.strerror or str(exc)
        raise ConfigurationError(
            f"{output}: cannot be written ({reason}); nothing was left there, give a place with room that is yours"
        ) from exc
    finally:
        shutil.rmtree(partial, ignore_errors=True)
