"""The versions of a registered model: which there are, their tags, and their files."""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from florence2.adapters.mlflow.client import open_client, translate_errors
from florence2.adapters.mlflow.local_store import HOW_TO_REGISTER
from florence2.adapters.mlflow.provenance import TRAINING_IMAGES
from florence2.config import changed_settings
from florence2.errors import RegistryError
from florence2.storage import redact

if TYPE_CHECKING:
    import mlflow.entities.model_registry as entities

__all__ = ["CONFIGURATION", "MODEL_CARD", "STATISTICS", "RegisteredModel", "Versions"]

MODEL_CARD, CONFIGURATION, STATISTICS = "model_card.md", "configuration.json", "statistics.json"
"""Files that each version holds besides its weights."""

_MISSING, _INVALID = "RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"
"""Codes of MLflow's errors: there is no such model or version; a version is not a number."""


class RegisteredModel(BaseModel):
    """A version in the model registry.

    Attributes:
        name: of the registered model.
        version: its number.
        alias: that points to it; empty where none does.
        uri: address of this very version for ``mlflow.pyfunc.load_model``.
        run_id: of the MLflow run that registered it.
        tracking_uri: of its store.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    alias: str
    uri: str
    run_id: str
    tracking_uri: str


class Versions:
    """The versions of one registered model in an MLflow store.

    Every method raises ``RegistryError`` where the store cannot be reached or refuses.

    Args:
        tracking_uri: of the store; None: MLflow's own setting.
        name: of the registered model.
    """

    def __init__(self, tracking_uri: str | None, name: str) -> None:
        import mlflow

        self.tracking_uri = tracking_uri or mlflow.get_tracking_uri()
        self.name = name
        self._client = open_client(self.tracking_uri)

    def version_of(self, alias: str) -> RegisteredModel | None:
        """Return the version to which an alias points; None if there is no such alias or model."""
        model = self._model()
        version = None if model is None else model.aliases.get(alias)
        return None if version is None else self.version(str(version))

    def version(self, version: str) -> RegisteredModel:
        """Return a version by its number.

        Raises:
            RegistryError: there is no such version.
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
        with self._errors():
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

    def text_of(self, version: str, name: str) -> str:
        """Return the text of a file of a version, such as ``model_card.md``.

        Raises:
            RegistryError: there is no such version or file.
        """
        with tempfile.TemporaryDirectory() as folder:
            return self._fetch(version, f"artifacts/{name}", Path(folder)).read_text(encoding="utf-8")

    def changed_settings(self, first: str, second: str) -> dict[str, tuple[str, str]]:
        """Return the settings of two versions that differ, by their full name, with the value of each version.

        Raises:
            RegistryError: there is no such version, or its settings are missing or damaged.
        """
        return changed_settings(self._settings(first), self._settings(second))

    def _settings(self, version: str) -> dict[str, Any]:
        try:
            settings: dict[str, Any] = json.loads(self.text_of(version, CONFIGURATION))
        except ValueError as exc:
            raise RegistryError(f"{self.name} version {version}: {CONFIGURATION} is damaged ({exc})") from exc
        return settings

    def training_images(self, version: str) -> frozenset[str]:
        """Return the sha256 of every image file that a version was trained or validated on.

        Raises:
            RegistryError: the list is missing, or is not the one that was registered.
        """
        expected = self.tags_of(version).get(TRAINING_IMAGES)
        text = self.text_of(version, f"{TRAINING_IMAGES}.json")
        if hashlib.sha256(text.encode()).hexdigest() != expected:
            raise RegistryError(
                f"{self.name} version {version}: {TRAINING_IMAGES}.json is not what was registered; train again"
            )
        return frozenset(json.loads(text))

    def download_into(self, folder: Path, version: str) -> Path:
        """Download weights and processor of a version into a folder.

        Returns:
            The folder in it that plain transformers loads.

        Raises:
            RegistryError: there is no such version, or its files are missing.
        """
        model = self._fetch(version, "artifacts/model", folder)
        if not any(model.glob("*.safetensors")):
            raise RegistryError(f"{self.name} version {version}: holds no weights any more; register the model again")
        return model

    def _fetch(self, version: str, path: str, folder: Path) -> Path:
        """Download a file or folder of a version into a folder and return its path there."""
        import mlflow

        self._version(version)
        with translate_errors(f"{self.name} version {version}: {path} cannot be read"):
            root = self._client.get_model_version_download_uri(self.name, version)
            found = mlflow.artifacts.download_artifacts(
                f"{root.rstrip('/')}/{path}", dst_path=str(folder), tracking_uri=self.tracking_uri
            )
        return Path(found)

    def _model(self) -> entities.RegisteredModel | None:
        from mlflow.exceptions import MlflowException

        with self._errors():
            try:
                return self._client.get_registered_model(self.name)
            except MlflowException as exc:
                if exc.error_code == _MISSING:
                    return None
                raise

    def _known_model(self) -> entities.RegisteredModel:
        model = self._model()
        if model is None:
            from florence2.adapters.mlflow.lock import is_lock_of_earlier_version

            with self._errors():
                found = self._client.search_registered_models(max_results=10)
            known = [each.name for each in found if not is_lock_of_earlier_version(each)]
            advice = f"there is {', '.join(known)}: name it" if known else HOW_TO_REGISTER
            raise RegistryError(f"{redact(self.tracking_uri)}: no model is registered as {self.name!r}; {advice}")
        return model

    def _version(self, version: str) -> entities.ModelVersion:
        from mlflow.exceptions import MlflowException

        with self._errors():
            try:
                return self._client.get_model_version(self.name, version)
            except MlflowException as exc:
                if exc.error_code not in {_MISSING, _INVALID}:
                    raise
                self._known_model()
                known = ", ".join(self.versions()) or "none"
                raise RegistryError(f"{self.name}: no version {version!r}; there are {known}") from exc

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return translate_errors(f"the model registry {self.tracking_uri} refused")
