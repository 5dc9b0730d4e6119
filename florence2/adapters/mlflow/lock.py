"""One at a time: a lock that lies in the registry itself, so that it holds between machines.

A registered model's name is unique in every store, so only one of many can create it. It exists while a champion is
moved, which takes about a second, and is deleted afterwards.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from florence2.errors import RegistryError

__all__ = ["registry_lock"]

_HOLDER = "holder"
_POLL_SECONDS = 0.2


@contextlib.contextmanager
def registry_lock(client: MlflowClient, name: str, *, stale_seconds: float = 30.0) -> Iterator[None]:
    """Hold the lock of a registered model; wait while somebody else holds it.

    Args:
        client: of the store.
        name: of the registered model.
        stale_seconds: a holder seen so long without a break was killed, and its lock is taken away. The time is
            that of this process, so clocks that differ do no harm.

    Raises:
        RegistryError: others took it again and again.
    """
    lock, me = f"{name}-lock", uuid.uuid4().hex
    deadline = time.monotonic() + 4 * stale_seconds
    seen, since = "", time.monotonic()
    while not _take(client, lock, me):
        holder = _holder(client, lock)
        if holder != seen:
            seen, since = holder, time.monotonic()
        elif holder and time.monotonic() - since > stale_seconds:
            _release(client, lock, holder)
            continue
        if time.monotonic() > deadline:
            raise RegistryError(
                f"{name}: other promotions have held the registered model {lock!r} for {4 * stale_seconds:.0f} seconds;"
                " try again when they are done, or delete it if there are none"
            )
        time.sleep(_POLL_SECONDS)
    try:
        yield
    finally:
        _release(client, lock, me)


def _take(client: MlflowClient, lock: str, me: str) -> bool:
    try:
        client.create_registered_model(lock, tags={_HOLDER: me}, description="Somebody moves the champion just now.")
    except MlflowException as exc:
        if exc.error_code == "RESOURCE_ALREADY_EXISTS":
            return False
        raise
    return True


def _holder(client: MlflowClient, lock: str) -> str:
    """Return who holds the lock; empty if nobody does any more."""
    try:
        return str(client.get_registered_model(lock).tags.get(_HOLDER, "unknown"))
    except MlflowException as exc:
        if exc.error_code == "RESOURCE_DOES_NOT_EXIST":
            return ""
        raise


def _release(client: MlflowClient, lock: str, holder: str) -> None:
    """Delete the lock if it is still this holder's."""
    if _holder(client, lock) == holder:
        client.delete_registered_model(lock)
