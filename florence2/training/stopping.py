"""Ctrl-C and SIGTERM: finish the step, save, then stop."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

__all__ = ["StopRequest"]

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopRequest:
    """Records the first signal to stop instead of stopping at once; a second one stops at once.

    A context manager. Outside the main thread, where Python allows no signal handlers, it has no effect.
    """

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._record) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _record(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number)
        if self.signal is None:
            self.signal = name
            logger.warning(
                "%s: the training stops after this step has been saved; send it again to stop at once", name.name
            )
        else:
            handler = self._before[name]
            if callable(handler):
                handler(number, frame)
            else:
                raise SystemExit(128 + number)

    @staticmethod
    def raise_for(number: signal.Signals) -> None:
        """Raise the exception of a signal: KeyboardInterrupt, or SystemExit with status 143."""
        if number is signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)
