"""Ctrl-C and SIGTERM: finish the step, save, then stop."""

from __future__ import annotations

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from signal import Signals
from types import FrameType, TracebackType
from typing import Any

__all__ = ["StopRequest", "stops_trainings_of_threads"]

logger = logging.getLogger(__name__)

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_got: list[Signals] = []
"""Signals of the main thread in ``stops_trainings_of_threads``."""


@contextlib.contextmanager
def stops_trainings_of_threads() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM also stop the trainings in other threads of this process; they save before.

    The signal has its effect on the main thread as well. Outside the main thread there is nothing to do.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}

    def pass_on(number: int, frame: FrameType | None) -> None:
        _got.append(Signals(number))
        handler = before[Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            raise SystemExit(128 + number)

    for number in before:
        signal.signal(number, pass_on)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _got.clear()


class StopRequest:
    """Records the first signal to stop instead of stopping at once; a second one stops at once.

    A context manager. Outside the main thread, where Python allows no signal handlers, it has the signals that the main
    thread got in ``stops_trainings_of_threads``, and no others.
    """

    def __init__(self) -> None:
        self._own: Signals | None = None
        self._is_in_thread = False
        self._before: dict[Signals, Any] = {}

    @property
    def signal(self) -> Signals | None:
        """Return the first signal to stop; None where there was none."""
        return _got[0] if self._is_in_thread and _got else self._own

    def __enter__(self) -> StopRequest:
        self._is_in_thread = threading.current_thread() is not threading.main_thread()
        if not self._is_in_thread:
            self._before = {number: signal.signal(number, self._record) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _record(self, number: int, frame: FrameType | None) -> None:
        name = Signals(number)
        if self._own is None:
            self._own = name
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
    def raise_for(number: Signals) -> None:
        """Raise the exception of a signal: KeyboardInterrupt, or SystemExit with status 143."""
        if number is signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)
