"""A queue in front of a model: questions that wait are answered together, one that comes alone is answered at once.

A batch is whatever has come while the one before it was computed. A model that is idle waits for nobody. Behind a batch
of many, a tenth of its time is left to those who were just answered: they ask again at once, and would otherwise wait
for a batch of the few who did not fit in. The queue is bounded, each question has a time limit, and one whose asker has
gone is dropped.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from florence2.errors import OverloadedError, TimeLimitError

__all__ = ["Batcher"]

Item = TypeVar("Item")
Answer = TypeVar("Answer")

_USUAL_SECONDS = 1.0
"""How long a batch is taken to last before there was one."""

_RETURN_SHARE = 0.1
"""Part of the time of a batch that is left to those who were in it to ask again."""


@dataclass
class _Waiting(Generic[Item, Answer]):
    item: Item
    until: float
    future: Future[Answer] = field(default_factory=Future)


class Batcher(Generic[Item, Answer]):
    """Answers items in batches, in a thread of its own.

    Args:
        answer: takes a batch and yields the place of an item in it with its answer, in any order.
        most: items in a batch.
        room: items that may wait.
        observe: is told the size of each batch and the seconds that it took.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Item]], Iterator[tuple[int, Answer]]],
        *,
        most: int,
        room: int,
        observe: Callable[[int, float], None] | None = None,
    ) -> None:
        self._answer, self._most, self._room, self._observe = answer, most, room, observe
        self._queue: deque[_Waiting[Item, Answer]] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._batch_seconds = _USUAL_SECONDS
        self._thread = threading.Thread(target=self._run, name="florence2-batches", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Return how many items wait, without those that were cancelled."""
        with self._changed:
            return sum(not entry.future.cancelled() for entry in self._queue)

    def submit(self, items: Sequence[Item], seconds: float) -> list[Future[Answer]]:
        """Let items wait for their answers.

        Args:
            items: all of them wait, or none.
            seconds: after which an item that still waits is dropped; its future raises ``TimeLimitError``.

        Returns:
            A future for each item; cancel one to take it out of the queue.

        Raises:
            OverloadedError: there is no room for them.
        """
        until = time.monotonic() + seconds
        entries: list[_Waiting[Item, Answer]] = [_Waiting(item, until) for item in items]
        with self._changed:
            if self._closed:
                raise OverloadedError("the model is being put away; ask again", retry_seconds=1)
            if len(self._queue) + len(entries) > self._room:
                self._queue = deque(entry for entry in self._queue if not entry.future.cancelled())
            if len(self._queue) + len(entries) > self._room:
                batches = (len(self._queue) + len(entries)) / self._most
                raise OverloadedError(
                    f"{len(self._queue)} questions wait, {self._room} may; ask again later",
                    retry_seconds=max(1, math.ceil(batches * self._batch_seconds)),
                )
            self._queue.extend(entries)
            self._changed.notify()
        return [entry.future for entry in entries]

    def close(self, *, wait: bool = True) -> None:
        """Answer what waits, then end; nothing more is taken. Returns when all is answered, or at once."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if wait:
            self._thread.join()

    def _run(self) -> None:
        size, until = 0, 0.0
        while True:
            with self._changed:
                while not self._queue and not self._closed:
                    self._changed.wait()
                if not self._queue:
                    return
                while len(self._queue) < size and not self._closed and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
                batch = self._take()
            if batch:
                started = time.monotonic()
                self._answer_together(batch)
                ended = time.monotonic()
                self._batch_seconds = ended - started
                size, until = len(batch), ended + _RETURN_SHARE * self._batch_seconds
                if self._observe is not None:
                    self._observe(len(batch), self._batch_seconds)

    def _take(self) -> list[_Waiting[Item, Answer]]:
        """Take the next batch from the queue, leaving out what nobody waits for any more."""
        batch: list[_Waiting[Item, Answer]] = []
        now = time.monotonic()
        while self._queue and len(batch) < self._most:
            entry = self._queue.popleft()
            if not entry.future.set_running_or_notify_cancel():
                continue
            if entry.until < now:
                entry.future.set_exception(TimeLimitError("no answer within the time limit: too many asked before"))
                continue
            batch.append(entry)
        return batch

    def _answer_together(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            for place, answer in self._answer([entry.item for entry in batch]):
                batch[place].future.set_result(answer)
        except Exception as exc:  # whatever a model does, each of the others gets its answer
            left = [entry for entry in batch if not entry.future.done()]
            for entry in left:
                if len(batch) == 1:
                    entry.future.set_exception(exc)
                else:
                    self._answer_together([entry])
