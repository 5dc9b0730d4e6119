"""Where a served model comes from: a name that stays what it is, or an alias in the registry that moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from florence2.config import ModelConfig
from florence2.evaluation.report import public_name
from florence2.model.named import load_named, named_fingerprint

if TYPE_CHECKING:
    from florence2.model.base import Florence2

__all__ = ["ModelSource", "NamedSource", "model_source"]


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


def model_source(config: ModelConfig, tracking_uri: str | None = None) -> ModelSource:
    """Return where a model comes from.

    Args:
        config: names it: whatever ``florence2 predict`` takes.
        tracking_uri: the MLflow store of a registered one; None: that of the environment, else of the local stack.

    Raises:
        ModelError: the name begins with ``models:/`` and is no registered model's.
        RegistryError: no store is known.
    """
    if not config.base.startswith("models:/"):
        return NamedSource(config)
    from florence2.adapters.mlflow.model_uri import ModelAddress

    return ModelAddress.of(config.base, tracking_uri)
