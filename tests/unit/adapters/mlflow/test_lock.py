"""The lock under which a champion is moved: one at a time, also where a holder is killed or stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from unittest import mock

import mlflow
import pytest

from florence2.adapters.mlflow.lock import RegistryLock, registry_lock
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.store_state import registered_models
from florence2.errors import RegistryError

NAME = "cards"


def client_of(registry: Registry) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(registry.tracking_uri)


def lock_tags(registry: Registry) -> list[str]:
    return [tag for tag in client_of(registry).get_registered_model(NAME).tags if tag.startswith("champion_lock")]


def test_it_is_a_tag_of_the_model_and_gone_afterwards(registry: Registry) -> None:
    client = client_of(registry)
    with registry_lock(client, NAME) as lock:
        lock.check()
        assert len(lock_tags(registry)) == 1
        assert [model.name for model in client.search_registered_models()] == [NAME]
    assert lock_tags(registry) == []


def test_many_hold_it_one_after_the_other(registry: Registry) -> None:
    inside, most, done = [], [], []

    def hold(number: int) -> None:
        with registry_lock(client_of(registry), NAME) as lock:
            inside.append(number)
            time.sleep(0.02)
            lock.check()
            most.append(len(inside))
            inside.remove(number)
        done.append(number)

    threads = [threading.Thread(target=hold, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(done) == list(range(6))
    assert most == [1] * 6
    assert lock_tags(registry) == []


def test_a_claim_without_a_number_yet_is_not_passed(registry: Registry) -> None:
    client = client_of(registry)
    client.set_registered_model_tag(NAME, "champion_lock.other", "0")
    waiting = RegistryLock(client, NAME)
    with pytest.raises(RegistryError, match=r"delete the tag 'champion_lock.other'"):
        waiting.acquire(0.0)
    waiting.release()
    client.delete_registered_model_tag(NAME, "champion_lock.other")
    with registry_lock(client, NAME) as lock:
        client.set_registered_model_tag(NAME, "champion_lock.other", "0")
        lock.check()


def test_a_holder_that_lives_keeps_it_however_slow_it_is(registry: Registry) -> None:
    with registry_lock(client_of(registry), NAME, stale_seconds=1.0) as lock:
        with (
            pytest.raises(RegistryError, match="other promotions have held the lock for 4 seconds"),
            registry_lock(client_of(registry), NAME, stale_seconds=1.0),
        ):
            pass
        lock.check()
    assert lock_tags(registry) == []


def promote_slowly(uri: str, ready: Callable[[], object], results: multiprocessing.Queue[str]) -> None:
    """Promote version 2; stop this process when the move is noted and the alias not yet moved."""
    registry = Registry(uri, NAME)
    move = registry._client.set_model_version_tag

    def stop(*arguments: str) -> None:
        move(*arguments)
        ready()
        os.kill(os.getpid(), signal.SIGSTOP)

    try:
        with mock.patch.object(registry._client, "set_model_version_tag", stop):
            registry.move_champion("2", expected_champion=None, reason="slow", decision={})
        results.put("promoted")
    except RegistryError as exc:
        results.put(str(exc))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Promotions of this process take a lock away after a second."""
    from florence2.adapters.mlflow import lock

    def after_a_second(client: mlflow.MlflowClient, name: str) -> object:
        return registry_lock(client, name, stale_seconds=1.0)

    monkeypatch.setattr(lock, "registry_lock", after_a_second)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("killed", [True, False])
def test_a_holder_that_was_stopped_in_the_middle_writes_nothing_more(
    registry: Registry, processes: ForkServerContext, killed: bool
) -> None:
    ready, results = processes.Event(), processes.Queue()
    slow = processes.Process(target=promote_slowly, args=(registry.tracking_uri, ready.set, results))
    slow.start()
    assert ready.wait(60)
    assert len(lock_tags(registry)) == 1
    if killed:
        slow.kill()
    registry.move_champion("3", expected_champion=None, reason="fast", decision={})
    if not killed:
        assert slow.pid is not None
        os.kill(slow.pid, signal.SIGCONT)
        assert "another one took the lock of the registered model; nothing more was changed" in results.get(timeout=60)
    slow.join(60)
    assert registry.aliases() == {"champion": "3"}
    assert [(move.action, move.after) for move in registry.history()] == [
        ("promote", "2"),
        ("found", None),
        ("promote", "3"),
    ]
    assert lock_tags(registry) == []


def test_a_lock_that_an_earlier_version_left_is_not_shown_and_removed(registry: Registry) -> None:
    client = client_of(registry)
    client.create_registered_model(f"{NAME}-lock", tags={"holder": "killed"})
    client.create_registered_model("door-lock")
    assert registered_models(registry.tracking_uri) == [NAME, "door-lock"]
    with pytest.raises(RegistryError, match=f"there is {NAME}, door-lock: name it"):
        Registry(registry.tracking_uri, "other").aliases()
    with registry_lock(client, NAME):
        assert [model.name for model in client.search_registered_models()] == [NAME, "door-lock"]
