"""Who is champion: the aliases of a registered model, moved one at a time, and the history of the moves.

The alias ``champion`` is what everybody serves, ``challenger`` the newest version, ``previous`` the champion before.
A move is first written down, in the tags of the registered model and of both versions, and then made; one that was
killed in between is seen and noted by the next. MLflow's stages are not used, they are deprecated.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from florence2.adapters.mlflow.history import Move, earlier_champions, moves_of
from florence2.adapters.mlflow.provenance import TRAINING_IMAGES
from florence2.adapters.mlflow.registry import RegisteredModel
from florence2.errors import RegistryError
from florence2.storage import redact

if TYPE_CHECKING:
    import mlflow.entities.model_registry as entities

    from florence2.adapters.mlflow.lock import RegistryLock

__all__ = ["CHALLENGER", "CHAMPION", "PREVIOUS", "Registry"]

CHALLENGER, CHAMPION, PREVIOUS = "challenger", "champion", "previous"

_SQLITE = "sqlite:///"


class Registry:
    """One registered model in an MLflow store.

    Every method raises ``RegistryError`` where the store cannot be reached or refuses.

    Args:
        tracking_uri: of the store; None: MLflow's own setting.
        name: of the registered model.
    """

    def __init__(self, tracking_uri: str | None, name: str) -> None:
        import mlflow

        # MLflow would try seven times with growing pauses, minutes in all, before it says that nobody answers.
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
        os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        self.tracking_uri = tracking_uri or mlflow.get_tracking_uri()
        self.name = name
        file = self.tracking_uri.removeprefix(_SQLITE)
        if file != self.tracking_uri and not Path(file).is_file():
            # MLflow would make an empty store there.
            raise RegistryError(f"{self.tracking_uri}: no such file; give the store in which models are registered")
        self._client = mlflow.MlflowClient(self.tracking_uri)
        self._lock: RegistryLock | None = None

    def version_of(self, alias: str) -> RegisteredModel | None:
        """Return the version to which an alias points; None if there is no such alias or model."""
        model = self._model()
        version = None if model is None else model.aliases.get(alias)
        return None if version is None else self.version(str(version))

    def version(self, version: str) -> RegisteredModel:
        """Return a version by its number.

        Raises:
            RegistryError: there is none.
        """
        found = self._version(version)
        alias = next((name for name, holder in self.aliases().items() if holder == version), "")
        return RegisteredModel(
            name=self.name,
            version=version,
            alias=alias,
            uri=f"models:/{self.name}/{version}",
            run_id=found.run_id or "",
            tracking_uri=self.tracking_uri,
        )

    def versions(self) -> tuple[str, ...]:
        """Return the numbers of all versions, the oldest first."""
        with self._plain_errors():
            found = self._client.search_model_versions(f"name='{self.name}'", max_results=10_000)
        return tuple(str(number) for number in sorted(int(version.version) for version in found))

    def aliases(self) -> dict[str, str]:
        """Return the version of each alias.

        Raises:
            RegistryError: there is no such model.
        """
        return {name: str(version) for name, version in self._known_model().aliases.items()}

    def tags_of(self, version: str) -> dict[str, str]:
        """Return the tags of a version.

        Raises:
            RegistryError: there is no such version.
        """
        return dict(self._version(version).tags)

    def card_of(self, version: str) -> str:
        """Return the description of a version, its model card; empty if it has none."""
        return self._version(version).description or ""

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
        """Make a version the champion, if the champion is still the one that it was compared with.

        Args:
            version: the new champion.
            expected_champion: the champion that was compared with; None if there was none.
            reason: why, for the history.
            decision: tags for the version, such as the value of each gate.

        Raises:
            RegistryError: another version has become champion meanwhile, or there is no such version; nothing moved.
        """
        with self._locked():
            champion = self._settled_champion()
            if champion != expected_champion:
                raise RegistryError(
                    f"{self.name}: the champion is {_words(champion)} by now, not {_words(expected_champion)}, with"
                    f" which version {version} was compared; nothing was moved, compare them again"
                )
            if champion == version:
                raise RegistryError(f"{self.name}: version {version} is champion already; nothing was moved")
            self._version(version)
            self.annotate(version, decision)
            self._move("promote", champion, version, reason)

    def rollback(self, reason: str) -> RegisteredModel:
        """Make the champion before the current one champion again; a second rollback goes one further back.

        Args:
            reason: why, for the history.

        Returns:
            The champion of now.

        Raises:
            RegistryError: there is no champion or no one before it, or that version was deleted; nothing moved.
        """
        with self._locked():
            champion = self._settled_champion()
            earlier = earlier_champions(self.history())
            if not earlier:
                raise RegistryError(
                    f"{self.name}: {_words(champion)} is champion and none was before it that was not rolled back;"
                    " choose one by hand: florence2 registry promote VERSION --reason ..."
                )
            target = earlier[-1]
            if target not in self.versions():
                raise RegistryError(
                    f"{self.name}: version {target}, the champion before {_words(champion)}, was deleted; choose"
                    " another by hand: florence2 registry promote VERSION --reason ..."
                )
            self._move("rollback", champion, target, reason)
        return self.version(target)

    def settle(self) -> None:
        """Mend what a killed move left, and note in the history if the alias was moved past it."""
        with self._locked():
            self._settled_champion()

    def download_into(self, folder: Path, version: str) -> Path:
        """Bring weights and processor of a version into a folder.

        Returns:
            The folder in it that plain transformers loads.

        Raises:
            RegistryError: there is no such version, or its files are gone.
        """
        model = self._fetch(version, "artifacts/model", folder)
        if not any(model.glob("*.safetensors")):
            raise RegistryError(f"{self.name} version {version}: holds no weights any more; register the model again")
        return model

    def training_images(self, version: str) -> frozenset[str]:
        """Return the sha256 of every image file that a version was trained or validated on.

        Raises:
            RegistryError: the list is gone, or is not the one that was registered.
        """
        noted = self.tags_of(version).get(TRAINING_IMAGES)
        text = self.text_of(version, f"{TRAINING_IMAGES}.json")
        if hashlib.sha256(text.encode()).hexdigest() != noted:
            raise RegistryError(
                f"{self.name} version {version}: {TRAINING_IMAGES}.json is not what was registered; train again"
            )
        return frozenset(json.loads(text))

    def _fetch(self, version: str, path: str, folder: Path) -> Path:
        """Copy a file or folder of a version into a folder and return where it is."""
        import mlflow

        self._version(version)
        with self._plain_errors(f"{self.name} version {version}: {path} cannot be read"):
            root = self._client.get_model_version_download_uri(self.name, version)
            found = mlflow.artifacts.download_artifacts(
                f"{root.rstrip('/')}/{path}", dst_path=str(folder), tracking_uri=self.tracking_uri
            )
        return Path(found)

    def text_of(self, version: str, name: str) -> str:
        """Return the text of a file that lies with a version, such as ``model_card.md``.

        Raises:
            RegistryError: there is no such version or file.
        """
        with tempfile.TemporaryDirectory() as folder:
            return self._fetch(version, f"artifacts/{name}", Path(folder)).read_text(encoding="utf-8")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        from florence2.adapters.mlflow.lock import registry_lock

        self._known_model()
        with self._plain_errors(), registry_lock(self._client, self.name) as self._lock:
            try:
                yield
            finally:
                self._lock = None

    def _write(self, method: Callable[..., object], *arguments: str) -> None:
        """Call a method of the client that changes the registered model, unless the lock was lost."""
        with self._plain_errors():
            if self._lock is not None:
                self._lock.check()
            method(self.name, *arguments)

    def _settled_champion(self) -> str | None:
        """Return the champion after the history and the alias ``previous`` agree with it."""
        champion = self.aliases().get(CHAMPION)
        moves = self.history()
        noted = moves[-1].after if moves else None
        if champion != noted:
            why = f"the alias pointed to {_words(champion)}, not to {_words(noted)}: the last move was not finished, "
            self._note("found", noted, champion, why + "or another program moved it")
        self._point_to_previous()
        return champion

    def _move(self, action: Literal["promote", "rollback"], before: str | None, after: str, why: str) -> None:
        self._note(action, before, after, why)
        self._write(self._client.set_registered_model_alias, CHAMPION, after)
        self._point_to_previous()

    def _note(
        self, action: Literal["promote", "rollback", "found"], before: str | None, after: str | None, why: str
    ) -> None:
        move = Move.now(len(self.history()) + 1, action, before, after, why)
        name, value = move.tag
        moved = [version for version in self.versions() if version in {before, after}]
        self._write(self._client.set_registered_model_tag, name, value)
        for version in moved:
            self._write(self._client.set_model_version_tag, version, name, value)

    def _point_to_previous(self) -> None:
        earlier = earlier_champions(self.history())
        wanted = earlier[-1] if earlier and earlier[-1] in self.versions() else None
        if self.aliases().get(PREVIOUS) == wanted:
            return
        if wanted is None:
            self._write(self._client.delete_registered_model_alias, PREVIOUS)
        else:
            self._write(self._client.set_registered_model_alias, PREVIOUS, wanted)

    def _model(self) -> entities.RegisteredModel | None:
        from mlflow.exceptions import MlflowException

        with self._plain_errors():
            try:
                return self._client.get_registered_model(self.name)
            except MlflowException as exc:
                if exc.error_code == "RESOURCE_DOES_NOT_EXIST":
                    return None
                raise

    def _known_model(self) -> entities.RegisteredModel:
        model = self._model()
        if model is None:
            from florence2.adapters.mlflow.lock import is_lock_of_earlier_version

            with self._plain_errors():
                found = self._client.search_registered_models(max_results=10)
            there = [known.name for known in found if not is_lock_of_earlier_version(known)]
            advice = f"there is {', '.join(there)}: name it" if there else "register one first"
            raise RegistryError(f"{redact(self.tracking_uri)}: no model is registered as {self.name!r}; {advice}")
        return model

    def _version(self, version: str) -> entities.ModelVersion:
        from mlflow.exceptions import MlflowException

        with self._plain_errors():
            try:
                return self._client.get_model_version(self.name, version)
            except MlflowException as exc:
                if exc.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                    raise
                self._known_model()
                there = ", ".join(self.versions()) or "none"
                raise RegistryError(f"{self.name}: no version {version!r}; there are {there}") from exc

    @contextlib.contextmanager
    def _plain_errors(self, problem: str = "") -> Iterator[None]:
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (MlflowException, OSError, SQLAlchemyError) as exc:
            raise RegistryError(
                redact(f"{problem or f'the model registry {self.tracking_uri} refused'}: {exc}")
            ) from exc


def _words(version: str | None) -> str:
    return "no version" if version is None else f"version {version}"
