"""The first signal is recorded, the second one stops at once, and the earlier handlers come back."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from florence2.training.stopping import StopRequest, stops_trainings_of_threads


@pytest.fixture
def terminal() -> Iterator[None]:
    """SIGINT is handled as in a program on a terminal; a shell lets programs in the background ignore it."""
    earlier = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, earlier)


@pytest.mark.usefixtures("terminal")
def test_the_first_signal_is_recorded_and_the_second_stops() -> None:
    before = signal.getsignal(signal.SIGINT)
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.signal is signal.SIGINT
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_signal_is_obeyed_as_its_own_exception() -> None:
    with pytest.raises(KeyboardInterrupt):
        StopRequest.raise_for(signal.SIGINT)
    with pytest.raises(SystemExit) as caught:
        StopRequest.raise_for(signal.SIGTERM)
    assert caught.value.code == 143


def test_outside_the_main_thread_handlers_stay() -> None:
    before, inside = signal.getsignal(signal.SIGTERM), []

    def enter() -> None:
        with StopRequest():
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert inside == [before]


@pytest.mark.usefixtures("terminal")
def test_a_signal_of_the_main_thread_reaches_the_trainings_of_others() -> None:
    entered, ended, inside = threading.Event(), threading.Event(), []

    def train() -> None:
        with StopRequest() as stop:
            inside.append(stop.signal)
            entered.set()
            ended.wait(10)
            inside.append(stop.signal)

    before, thread = signal.getsignal(signal.SIGINT), threading.Thread(target=train)
    with stops_trainings_of_threads():
        thread.start()
        entered.wait(10)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        ended.set()
        thread.join()
    assert inside == [None, signal.SIGINT]
    assert signal.getsignal(signal.SIGINT) is before
    assert StopRequest().signal is None


def test_a_thread_has_no_signals_to_pass_on() -> None:
    before, inside = signal.getsignal(signal.SIGINT), []

    def enter() -> None:
        with stops_trainings_of_threads():
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert inside == [before]
