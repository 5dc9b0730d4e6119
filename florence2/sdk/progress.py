"""Shows progress where no logging is configured: the lines of the logger ``florence2`` on standard error."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator

__all__ = ["shown_progress"]


@contextlib.contextmanager
def shown_progress() -> Iterator[None]:
    """Show the lines of the logger ``florence2`` on standard error in the block, unless logging is configured.

    Without a handler Python drops everything below a warning: a notebook would show nothing during an hour of training.
    A configuration of logging by the caller is kept; after the block everything is as before.
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
