"""The lock under which a champion is moved. It is stored in the registry, so that it holds between machines.

The lock is a queue in the tags of the registered model: Lamport's bakery algorithm ("A new solution of Dijkstra's
concurrent programming problem", 1974), which requires of a store only that one tag is written, and all tags are read,
atomically. A process that wants the lock adds a tag of its own, its claim, takes the next number, and holds the lock
while no claim has a lower number. A claim is written while its process queues, never afterwards, and is deleted when it
is released or taken away. So it is a fencing token: a holder whose claim is not the first any more has lost the lock.

What remains: MLflow has no write that carries a condition. ``set_registered_model_tag`` and
``set_registered_model_alias`` replace what is there; only the creation of a registered model, an experiment or a
version fails where the name is taken, and each of these would be shown to users; a run's parameter can be set only
once, but it would need a run that is never deleted. So a holder checks before each write that it still has the
lock, and the write follows about a hundredth of a second later. A process that is stopped exactly in between, for
longer than others wait, does this one write late, and no other. If it is an alias, the next move records it as
``found``; if it is a line of the history, it replaces the line that has the same number.

The store must read its own writes: a server that reads from a lagging replica of its database cannot hold a lock.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator

from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from florence2.errors import RegistryError

__all__ = ["RegistryLock", "is_lock_of_earlier_version", "registry_lock"]

_CLAIM = "champion_lock."
"""Start of the tag of a claim; the rest is unique, the value its number in the queue."""
_QUEUING = 0
"""Number of a claim that has not taken its number yet: no other claim may pass it, since its number may be lower."""
_RENEWED = "champion_lock_renewed"
"""Tag that a running holder changes at intervals; its value has no meaning."""
_POLL_SECONDS = 0.2


class RegistryLock:
    """A claim to the lock of a registered model.

    Args:
        client: of the store.
        name: of the registered model.
    """

    def __init__(self, client: MlflowClient, name: str) -> None:
        self._client = client
        self._name = name
        self._tag = f"{_CLAIM}{uuid.uuid4().hex}"
        self._is_renewed = False

    def check(self) -> None:
        """Check that the lock is still held; to be called before each write.

        Raises:
            RegistryError: another process took the lock. Do not write any more.
        """
        numbered = {tag: number for tag, number in self._claims().items() if number != _QUEUING}
        if _first(numbered) != self._tag:
            raise RegistryError(
                f"{self._name}: this process was stopped for so long that another one took the lock of the"
                " registered model; nothing more was changed. See the present champion by `florence2 registry list`,"
                " and try again"
            )

    def acquire(self, stale_seconds: float) -> None:
        """Wait until no other claim is ahead; delete the first claim where it is not renewed.

        Raises:
            RegistryError: others held the lock for four times ``stale_seconds``.
        """
        deadline = time.monotonic() + 4 * stale_seconds
        seen, since = ("", ""), time.monotonic()
        while True:
            tags = self._tags()
            claims = _claims_in(tags)
            if self._tag not in claims:  # not queued yet, or another process took this one for killed
                self._queue()
                continue
            first = _first(claims)
            if first == self._tag:
                return
            now = time.monotonic()
            if (first, tags.get(_RENEWED, "")) != seen:
                seen, since = (first, tags.get(_RENEWED, "")), now
            elif now - since > stale_seconds:
                self._delete(first)
                continue
            if now > deadline:
                raise RegistryError(
                    f"{self._name}: other promotions have held the lock for {4 * stale_seconds:.0f} seconds; try again"
                    f" when they have ended. If there are none, delete the tag {first!r} of the registered model"
                )
            time.sleep(_POLL_SECONDS)

    @contextlib.contextmanager
    def renewed(self, every_seconds: float) -> Iterator[None]:
        """Renew the lock until the end of the block, however long it takes."""
        ended = threading.Event()
        thread = threading.Thread(target=self._renew, args=(ended, every_seconds), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            if self._is_renewed:
                self._delete(_RENEWED)

    def release(self) -> None:
        """Leave the queue; does nothing where the claim was taken away."""
        self._delete(self._tag)

    def _renew(self, ended: threading.Event, every_seconds: float) -> None:
        while not ended.wait(every_seconds):
            # A store that does not answer for a moment is no reason to stop: ``check`` notices a lost lock.
            with contextlib.suppress(MlflowException, OSError, SQLAlchemyError):
                self._is_renewed = True
                self._client.set_registered_model_tag(self._name, _RENEWED, uuid.uuid4().hex)

    def _queue(self) -> None:
        self._client.set_registered_model_tag(self._name, self._tag, str(_QUEUING))
        self._client.set_registered_model_tag(self._name, self._tag, str(max(self._claims().values(), default=0) + 1))

    def _tags(self) -> dict[str, str]:
        return dict(self._client.get_registered_model(self._name).tags)

    def _claims(self) -> dict[str, int]:
        return _claims_in(self._tags())

    def _delete(self, tag: str) -> None:
        self._client.delete_registered_model_tag(self._name, tag)


@contextlib.contextmanager
def registry_lock(client: MlflowClient, name: str, *, stale_seconds: float = 30.0) -> Iterator[RegistryLock]:
    """Hold the lock of a registered model; wait while another process holds it.

    Args:
        client: of the store.
        name: of the registered model, which exists.
        stale_seconds: a holder that does not renew the lock for so long was killed or stopped, and loses the
            lock. The process that waits measures the time, so clocks that differ do no harm.

    Yields:
        The lock; call its ``check`` before each write.

    Raises:
        RegistryError: others held it for four times ``stale_seconds``.
    """
    lock = RegistryLock(client, name)
    try:
        lock.acquire(stale_seconds)
        _delete_lock_of_earlier_version(client, name)
        with lock.renewed(stale_seconds / 4):
            yield lock
    finally:
        lock.release()


def _claims_in(tags: dict[str, str]) -> dict[str, int]:
    return {tag: int(value) for tag, value in tags.items() if tag.startswith(_CLAIM)}


def _first(claims: dict[str, int]) -> str:
    """Return the tag of the claim with the lowest number, of equal ones the first by name; empty if there is none."""
    return min(claims, key=lambda tag: (claims[tag], tag), default="")


def is_lock_of_earlier_version(model: RegisteredModel) -> bool:
    """Return whether a registered model is in truth a lock that an earlier version of this library left."""
    return model.name.endswith("-lock") and set(model.tags) == {"holder"} and not model.latest_versions


def _delete_lock_of_earlier_version(client: MlflowClient, name: str) -> None:
    # Most often there is none, and some servers refuse the query: the champion is moved all the same.
    with contextlib.suppress(MlflowException):
        model = client.get_registered_model(f"{name}-lock")
        if is_lock_of_earlier_version(model):
            client.delete_registered_model(model.name)
