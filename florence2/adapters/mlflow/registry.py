"""The registry of one model: its versions, and the aliases that are moved one at a time, with their history.

``champion`` points to the version in production, ``registration.alias`` (``challenger``) to the one that was registered
last, ``previous`` to the champion before. A move is first recorded, in the tags of the registered model and of both
versions, and then made; if a process is killed in between, the next move notices and records it. MLflow's stages are
not used, they are deprecated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Literal

from florence2.adapters.mlflow.history import Move, earlier_champions, moves_of
from florence2.adapters.mlflow.versions import RegisteredModel, Versions
from florence2.errors import RegistryError

if TYPE_CHECKING:
    from florence2.adapters.mlflow.lock import RegistryLock

__all__ = ["CHALLENGER", "CHAMPION", "PREVIOUS", "RegisteredModel", "Registry"]

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"


class Registry(Versions):
    """The registry of one model in an MLflow store.

    Every method raises ``RegistryError`` where the store cannot be reached or refuses.

    Args:
        tracking_uri: of the store; None: MLflow's own setting.
        name: of the registered model.
    """

    def __init__(self, tracking_uri: str | None, name: str) -> None:
        super().__init__(tracking_uri, name)
        self._lock: RegistryLock | None = None

    def annotate(self, version: str, tags: Mapping[str, str]) -> None:
        """Set tags of a version."""
        for name, value in tags.items():
            self._write(self._client.set_model_version_tag, version, name, value)

    def history(self) -> tuple[Move, ...]:
        """Return every move of the champion, in order; none where the model is unknown."""
        model = self._model()
        return () if model is None else moves_of(model.tags)

    def move_champion(
        self, version: str, *, expected_champion: str | None, reason: str, decision: Mapping[str, str]
    ) -> None:
        """Make a version the champion, if the champion is still the version that it was compared with.

        Args:
            version: the new champion.
            expected_champion: the champion that was compared with; None if there was none.
            reason: why, for the history.
            decision: tags for the version, such as the value of each gate.

        Raises:
            RegistryError: the champion is another version by now, or there is no such version; nothing was moved.
        """
        with self._locked():
            champion = self._settle_champion()
            if champion != expected_champion:
                raise RegistryError(
                    f"{self.name}: the champion is {_name(champion)} by now, not {_name(expected_champion)}, with"
                    f" which version {version} was compared; nothing was moved, compare them again"
                )
            if champion == version:
                raise RegistryError(f"{self.name}: version {version} is champion already; nothing was moved")
            self._version(version)
            self.annotate(version, decision)
            self._move("promote", champion, version, reason)

    def rollback(self, reason: str) -> RegisteredModel:
        """Make the previous champion champion again; a second rollback goes one version further back.

        Args:
            reason: why, for the history.

        Returns:
            The present champion.

        Raises:
            RegistryError: there is no earlier champion, or that version was deleted; nothing was moved.
        """
        with self._locked():
            champion = self._settle_champion()
            earlier = earlier_champions(self.history())
            if not earlier:
                raise RegistryError(
                    f"{self.name}: {_name(champion)} is champion, and there is no earlier one that was not"
                    " rolled back; choose a version: florence2 registry promote VERSION --reason ..."
                )
            target = earlier[-1]
            if target not in self.versions():
                raise RegistryError(
                    f"{self.name}: version {target}, the champion before {_name(champion)}, was deleted; choose"
                    " another version: florence2 registry promote VERSION --reason ..."
                )
            self._move("rollback", champion, target, reason)
        return self.version(target)

    def settle(self) -> None:
        """Finish a move that was killed, and record in the history a move that another program made."""
        with self._locked():
            self._settle_champion()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        from florence2.adapters.mlflow.lock import registry_lock

        self._known_model()
        with self._errors(), registry_lock(self._client, self.name) as self._lock:
            try:
                yield
            finally:
                self._lock = None

    def _write(self, method: Callable[..., object], *arguments: str) -> None:
        """Call a method of the client that changes the registered model, unless the lock was lost."""
        with self._errors():
            if self._lock is not None:
                self._lock.check()
            method(self.name, *arguments)

    def _settle_champion(self) -> str | None:
        """Make the history and the alias ``previous`` agree with the champion, and return the champion."""
        champion = self.aliases().get(CHAMPION)
        moves = self.history()
        recorded = moves[-1].after if moves else None
        if champion != recorded:
            why = f"the alias pointed to {_name(champion)}, not to {_name(recorded)}: the last move was not finished, "
            self._record("found", recorded, champion, why + "or another program moved it")
        self._move_previous()
        return champion

    def _move(self, action: Literal["promote", "rollback"], before: str | None, after: str, why: str) -> None:
        self._record(action, before, after, why)
        self._write(self._client.set_registered_model_alias, CHAMPION, after)
        self._move_previous()

    def _record(
        self, action: Literal["promote", "rollback", "found"], before: str | None, after: str | None, why: str
    ) -> None:
        move = Move.now(len(self.history()) + 1, action, before, after, why)
        name, value = move.tag
        moved = [version for version in self.versions() if version in {before, after}]
        self._write(self._client.set_registered_model_tag, name, value)
        for version in moved:
            self._write(self._client.set_model_version_tag, version, name, value)

    def _move_previous(self) -> None:
        earlier = earlier_champions(self.history())
        version = earlier[-1] if earlier and earlier[-1] in self.versions() else None
        if self.aliases().get(PREVIOUS) == version:
            return
        if version is None:
            self._write(self._client.delete_registered_model_alias, PREVIOUS)
        else:
            self._write(self._client.set_registered_model_alias, PREVIOUS, version)


def _name(version: str | None) -> str:
    return "no version" if version is None else f"version {version}"
