"""Progress for who has set up no logging: the lines of the logger ``florence2`` on standard error."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

__all__ = ["audible"]


@contextlib.contextmanager
def audible() -> Iterator[None]:
    """Let the lines of the logger ``florence2`` be seen, as in a notebook, unless somebody else handles them.

    Python drops what is no warning where no handler was set up: an hour of training would be an hour of silence. Who
    has set up logging decides; after the block everything is as it was.
    """
    logger = logging.getLogger("florence2")
    if logger.hasHandlers():
        yield
        return
    handler, level = logging.StreamHandler(sys.stderr), logger.level
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
