"""Writing files whole or not at all: a full disk leaves neither an empty file nor half of one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(file: Path, text: str) -> None:
    """Write a text as UTF-8 beside its place, and move it there when it is complete.

    Args:
        file: what was there before is replaced at the end, and kept if that is not reached. A device such as
            ``/dev/stdout`` is written to as it is.
        text: the content.

    Raises:
        OSError: it cannot be written; nothing new is left.
    """
    if file.exists() and not file.is_file():
        file.write_text(text, encoding="utf-8")
        return
    place = file.resolve()  # a link stays a link
    partial = place.with_name(f".{place.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(place)
    except OSError:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
