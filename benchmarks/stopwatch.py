"""Time by the clock and time of the processor: the second is that of a quiet machine also where others share it."""

from __future__ import annotations

import time
from typing import NamedTuple

__all__ = ["Spent", "Stopwatch"]


class Spent(NamedTuple):
    """What something took, in seconds by the clock and in seconds of all cores of this process together."""

    wall: float
    cpu: float


class Stopwatch:
    """Runs from the moment it is made."""

    def __init__(self) -> None:
        self._since = self._now()

    def lap(self) -> Spent:
        """Return what has passed since the start or the last lap."""
        now = self._now()
        spent = Spent(now.wall - self._since.wall, now.cpu - self._since.cpu)
        self._since = now
        return spent

    @staticmethod
    def _now() -> Spent:
        return Spent(time.perf_counter(), time.process_time())
