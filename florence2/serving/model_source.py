"""Where a served model comes from: a name that stays what it is, or an alias in the registry that moves."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from florence2.config import ModelConfig
from florence2.errors import ModelError, RegistryError
from florence2.evaluation.report import public_name
from florence2.model.named import load_named, named_fingerprint

if TYPE_CHECKING:
    from florence2.model.base import Florence2

__all__ = ["ModelSource", "NamedSource", "RegisteredSource", "model_source"]

_REGISTERED = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


class ModelSource(Protocol):
    """Says which version of a model is meant now, and loads it.

    Attributes:
        name: of the model.
        moves: whether the version can be another one later.
    """

    @property
    def name(self) -> str:
        """Return the name of the model."""

    @property
    def moves(self) -> bool:
        """Return whether another version can be meant later."""

    def version(self) -> str:
        """Return the version that is meant now."""

    def load(self, version: str) -> Florence2:
        """Load a version."""


@dataclass(frozen=True)
class NamedSource:
    """A built-in model, a folder, a checkpoint, a run or a hub id; its version is the hash of its content."""

    config: ModelConfig

    @property
    def name(self) -> str:
        """Return the name as it was typed, of a folder the last two parts: clients need not know all."""
        return public_name(self.config.base)

    @property
    def moves(self) -> bool:
        """Return False: a folder is read once."""
        return False

    def version(self) -> str:
        """Return the first letters of the hash of its content."""
        return named_fingerprint(self.config.base, self.config.revision)[:12]

    def load(self, version: str) -> Florence2:  # noqa: ARG002
        """Load it."""
        return load_named(self.config.base, self.config.revision)


@dataclass(frozen=True)
class RegisteredSource:
    """A version in an MLflow registry, by its number or by the alias that points to it.

    Attributes:
        tracking_uri: of the store.
        name: of the registered model.
        alias: that is followed; empty: the version stays.
        number: of the version, where there is no alias.
    """

    tracking_uri: str
    name: str
    alias: str = ""
    number: str = ""

    @property
    def moves(self) -> bool:
        """Return whether an alias is followed."""
        return bool(self.alias)

    def version(self) -> str:
        """Return the number of the version that is meant now.

        Raises:
            RegistryError: the store cannot be reached, or there is no such model, version or alias.
        """
        from florence2.adapters.mlflow.aliases import Registry

        registry = Registry(self.tracking_uri, self.name)
        if not self.alias:
            return registry.version(self.number).version
        aliases = registry.aliases()
        if self.alias not in aliases:
            there = ", ".join(sorted(aliases)) or "none"
            raise RegistryError(f"{self.name}: no alias {self.alias!r}; there are: {there}")
        return aliases[self.alias]

    def load(self, version: str) -> Florence2:
        """Load a version.

        Raises:
            RegistryError: the store cannot be reached, or its files are gone.
            ModelError: they are no Florence-2.
        """
        from florence2.adapters.mlflow.aliases import Registry
        from florence2.model.base import load_folder

        folder = Registry(self.tracking_uri, self.name).download(version)
        try:
            return load_folder(str(folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def model_source(config: ModelConfig, tracking_uri: str | None = None) -> ModelSource:
    """Return where a model comes from.

    Args:
        config: names it: whatever ``florence2 predict`` takes, or ``models:/NAME@ALIAS`` or ``models:/NAME/3``.
        tracking_uri: the MLflow store of the latter; None: that of the environment, else of the local stack.

    Raises:
        ModelError: the name begins with ``models:/`` and is neither.
        RegistryError: no store is known.
    """
    if not config.base.startswith("models:/"):
        return NamedSource(config)
    found = _REGISTERED.fullmatch(config.base)
    if found is None:
        raise ModelError(f"{config.base}: a registered model is models:/NAME@ALIAS or models:/NAME/VERSION")
    from florence2.adapters.mlflow.local_store import default_tracking_uri

    return RegisteredSource(
        tracking_uri or default_tracking_uri(), found["name"], found["alias"] or "", found["version"] or ""
    )
