"""Waiting for what another process brings about."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["PATIENCE_SECONDS", "wait_for"]

PATIENCE_SECONDS = 300
"""Longer than any machine needs, however busy it is: it ends what would never end."""


def wait_for(
    condition: Callable[[], object], ended: Callable[[], str | None] = lambda: None, pause_seconds: float = 0.05
) -> None:
    """Wait until something is so.

    Args:
        condition: asked again and again.
        ended: returns what there is to say once nothing can bring it about any more, such as the output of a process
            that has ended; None until then.
        pause_seconds: between two looks.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        reason = ended()
        assert reason is None, reason
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(pause_seconds)
