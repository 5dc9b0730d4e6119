"""The queue in front of a model: which requests are answered together, which are dropped, and that none is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from unittest.mock import patch

import pytest

from florence2.errors import OverloadedError, TimeLimitError
from florence2.inference import batching
from florence2.inference.batching import Batcher


class Model:
    """Doubles numbers; says which batches it got, and goes on only when it is let."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.started, self.let = threading.Event(), threading.Event()

    def __call__(self, items: Sequence[int]) -> Iterator[tuple[int, int]]:
        self.batches.append(list(items))
        self.started.set()
        assert self.let.wait(10)
        if 13 in items:
            raise ValueError("13 cannot be answered")
        yield from ((index, 2 * item) for index, item in reversed(list(enumerate(items))))


@pytest.fixture
def model() -> Model:
    return Model()


@pytest.fixture
def batcher(model: Model) -> Iterator[Batcher[int, int]]:
    batcher: Batcher[int, int] = Batcher(model, most=4, room=6)
    yield batcher
    model.let.set()
    batcher.close()


def test_waiting_items_are_answered_in_one_batch(model: Model, batcher: Batcher[int, int]) -> None:
    futures = batcher.submit([0], 10)
    assert model.started.wait(10)
    futures += batcher.submit([1, 2, 3], 10) + batcher.submit([4, 5], 10)
    model.let.set()
    assert [future.result(10) for future in futures] == [0, 2, 4, 6, 8, 10]
    assert model.batches == [[0], [1, 2, 3, 4], [5]]


def test_an_idle_model_starts_immediately(model: Model, batcher: Batcher[int, int]) -> None:
    model.let.set()
    limits: list[float | None] = []
    wait = batcher._changed.wait

    def noted(limit: float | None = None) -> bool:
        limits.append(limit)
        return wait(limit)

    with patch.object(batcher._changed, "wait", noted):
        for _ in range(3):
            assert batcher.submit([7], 10)[0].result(10) == 14
    assert model.batches == [[7], [7], [7]]
    assert set(limits) <= {None}, "it waits for a question, and with one at hand for no time"


def test_after_a_batch_the_thread_waits_for_new_items_of_its_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "_RETURN_SHARE", 200.0)  # ten seconds, for a machine that is busy
    batches: list[list[int]] = []
    late_waits = threading.Event()

    def slow(items: Sequence[int]) -> Iterator[tuple[int, int]]:
        batches.append(list(items))
        if items == [1, 2]:
            assert late_waits.wait(10)
        time.sleep(0.05)
        yield from enumerate(items)

    batcher: Batcher[int, int] = Batcher(slow, most=4, room=6)
    first = batcher.submit([1, 2], 10)
    while not batches:
        time.sleep(0.001)
    late = batcher.submit([3], 10)  # waits while the two are answered
    late_waits.set()
    first[0].result(10)
    again = batcher.submit([4], 10)  # one of the two requests at the same time
    assert late[0].result(10) == 3
    assert again[0].result(10) == 4
    assert batches == [[1, 2], [3, 4]]
    batcher.close()


def test_a_full_queue_says_after_how_many_seconds_to_try_again(model: Model, batcher: Batcher[int, int]) -> None:
    running = batcher.submit([0], 10)
    assert model.started.wait(10)
    waiting = batcher.submit([1] * 6, 10)
    with pytest.raises(OverloadedError, match="6 prompts wait, 6 may") as refused:
        batcher.submit([2], 10)
    assert refused.value.retry_seconds >= 1
    waiting[0].cancel()
    taken = batcher.submit([3], 10)
    model.let.set()
    assert [future.result(10) for future in (*running, *waiting[1:], *taken)] == [0, *[2] * 5, 6]


def test_all_items_of_a_request_are_added_or_none(model: Model, batcher: Batcher[int, int]) -> None:
    batcher.submit([0], 10)
    assert model.started.wait(10)
    batcher.submit([1] * 5, 10)
    with pytest.raises(OverloadedError):
        batcher.submit([2, 2], 10)
    assert batcher.waiting == 5


def test_a_cancelled_item_is_not_answered(model: Model, batcher: Batcher[int, int]) -> None:
    batcher.submit([0], 10)
    assert model.started.wait(10)
    gone, stays = batcher.submit([1], 10) + batcher.submit([2], 10)
    assert gone.cancel()
    assert batcher.waiting == 1
    model.let.set()
    assert stays.result(10) == 4
    with pytest.raises(CancelledError):
        gone.result(10)
    assert model.batches == [[0], [2]]


def test_an_item_past_its_time_limit_raises_an_error(model: Model, batcher: Batcher[int, int]) -> None:
    batcher.submit([0], 10)
    assert model.started.wait(10)
    late, patient = batcher.submit([1], 0.01) + batcher.submit([2], 10)
    time.sleep(0.05)
    model.let.set()
    with pytest.raises(TimeLimitError):
        late.result(10)
    assert patient.result(10) == 4
    assert model.batches == [[0], [2]]


def test_an_item_that_breaks_the_model_does_not_affect_others(model: Model, batcher: Batcher[int, int]) -> None:
    first = batcher.submit([0], 10)
    assert model.started.wait(10)
    good, bad, other = batcher.submit([1, 13, 2], 10)
    model.let.set()
    assert (first[0].result(10), good.result(10), other.result(10)) == (0, 2, 4)
    with pytest.raises(ValueError, match="13 cannot be answered"):
        bad.result(10)


def test_closing_answers_waiting_items_and_accepts_no_more(model: Model) -> None:
    batcher: Batcher[int, int] = Batcher(model, most=1, room=6)
    futures = batcher.submit([1, 2, 3], 10)
    model.let.set()
    batcher.close()
    assert [future.result(0) for future in futures] == [2, 4, 6]
    with pytest.raises(OverloadedError):
        batcher.submit([4], 10)


def test_each_of_many_threads_gets_its_own_answer() -> None:
    sizes: list[int] = []
    batcher: Batcher[int, int] = Batcher(
        lambda items: iter([(index, 2 * item) for index, item in enumerate(items)]),
        most=16,
        room=1000,
        observe=lambda size, seconds: sizes.append(size),
    )
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda number: batcher.submit([number], 30)[0].result(30), range(2000)))
    batcher.close()
    assert answers == [2 * number for number in range(2000)]
    assert sum(sizes) == 2000
    assert max(sizes) <= 16
