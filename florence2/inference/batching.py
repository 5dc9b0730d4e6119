"""A queue in front of a model: waiting items are answered in one batch, a single item without any delay.

A batch holds the items that arrived while the batch before it was computed; an idle model starts immediately. After a
batch of several items, the thread waits for a tenth of the batch's time: clients that were just answered often send
their next item immediately, and would otherwise wait behind a batch of the few items that did not fit. The queue is
bounded, each item has a time limit, and an item whose client has disconnected is dropped.
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
"""Assumed duration of a batch before the first one."""

_RETURN_SHARE = 0.1
"""Share of the time of a batch for which the thread waits for new items of the same clients."""


@dataclass
class _Waiting(Generic[Item, Answer]):
    item: Item
    until: float
    future: Future[Answer] = field(default_factory=Future)


class Batcher(Generic[Item, Answer]):
    """Answers items in batches, in its own thread.

    Args:
        answer: takes a batch and yields the index of an item in it with its answer, in any order.
        most: greatest number of items in a batch.
        room: greatest number of items in the queue.
        observe: called with the size of each batch and its duration in seconds.
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
        """Return the number of waiting items, without cancelled ones."""
        with self._changed:
            return sum(not entry.future.cancelled() for entry in self._queue)

    def submit(self, items: Sequence[Item], seconds: float) -> list[Future[Answer]]:
        """Add items to the queue.

        Args:
            items: all of them are added, or none.
            seconds: after which a waiting item is dropped; its future raises ``TimeLimitError``.

        Returns:
            A future for each item; cancel it to remove the item from the queue.

        Raises:
            OverloadedError: the queue is full.
        """
        until = time.monotonic() + seconds
        entries: list[_Waiting[Item, Answer]] = [_Waiting(item, until) for item in items]
        with self._changed:
            if self._closed:
                raise OverloadedError("the model is being unloaded; send the request again", retry_seconds=1)
            if len(self._queue) + len(entries) > self._room:
                self._queue = deque(entry for entry in self._queue if not entry.future.cancelled())
            if len(self._queue) + len(entries) > self._room:
                batches = (len(self._queue) + len(entries)) / self._most
                raise OverloadedError(
                    f"{len(self._queue)} prompts wait, {self._room} may; send the request again later",
                    retry_seconds=max(1, math.ceil(batches * self._batch_seconds)),
                )
            self._queue.extend(entries)
            self._changed.notify()
        return [entry.future for entry in entries]

    def close(self, *, wait: bool = True) -> None:
        """Accept no more items and end after the last answer; with ``wait`` return only then."""
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
        """Remove the next batch from the queue, without cancelled items and those past their time limit."""
        batch: list[_Waiting[Item, Answer]] = []
        now = time.monotonic()
        while self._queue and len(batch) < self._most:
            entry = self._queue.popleft()
            if not entry.future.set_running_or_notify_cancel():
                continue
            if entry.until < now:
                entry.future.set_exception(TimeLimitError("no answer within the time limit: too many prompts waited"))
                continue
            batch.append(entry)
        return batch

    def _answer_together(self, batch: Sequence[_Waiting[Item, Answer]]) -> None:
        try:
            for index, answer in self._answer([entry.item for entry in batch]):
                batch[index].future.set_result(answer)
        except Exception as exc:  # the model may raise anything; the other items still get their answers
            left = [entry for entry in batch if not entry.future.done()]
            for entry in left:
                if len(batch) == 1:
                    entry.future.set_exception(exc)
                else:
                    self._answer_together([entry])
