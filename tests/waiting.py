"""Waiting for a result of another process."""

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
        condition: checked again and again.
        ended: returns a reason once the condition can no longer hold, such as the output of a process that has ended;
            None until then.
        pause_seconds: between two checks.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        reason = ended()
        assert reason is None, reason
        assert time.monotonic() < until, "the condition did not hold in time"
        time.sleep(pause_seconds)
