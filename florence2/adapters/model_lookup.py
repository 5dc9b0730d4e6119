"""The one way from the name that a user types to a model: a fixed name, or a version in the registry.

All that take a model by its name use it: ``florence2.load``, the commands, the server, the demo page, the pipeline.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from florence2.adapters.mlflow.model_uri import SCHEME, ModelAddress, registered_exportable
from florence2.config import ModelConfig
from florence2.evaluation import public_name
from florence2.export import Exportable, load_exportable
from florence2.model import check_named, load_named, named_fingerprint, named_tasks

if TYPE_CHECKING:
    from florence2.codec import TaskTable
    from florence2.model import Florence2

__all__ = ["ModelSource", "NamedSource", "exportable_model", "model_source"]


class ModelSource(Protocol):
    """A named model, of which the present version can be loaded.

    Attributes:
        name: of the model, without the path of a folder.
        moves: whether the name can mean another version later.
    """

    @property
    def name(self) -> str:
        """Return the name of the model."""

    @property
    def moves(self) -> bool:
        """Return whether the name can mean another version later."""

    def version(self) -> str:
        """Return the present version."""

    def load(self, version: str | None = None) -> Florence2:
        """Load a version, in float32 on the CPU; None: the present one."""

    def tasks(self) -> TaskTable:
        """Return the tasks of the present version; its weights are not read."""


@dataclass(frozen=True)
class NamedSource:
    """A built-in model, a folder, a checkpoint, a run or a hub id; its version is the hash of its content."""

    config: ModelConfig

    @property
    def name(self) -> str:
        """Return the name that was given; of a folder only the last two parts, so that clients see no path."""
        return public_name(self.config.base)

    @property
    def moves(self) -> bool:
        """Return False: a folder is read only once."""
        return False

    def version(self) -> str:
        """Return the first 12 digits of the hash of its content."""
        return named_fingerprint(self.config.base, self.config.revision)[:12]

    def load(self, version: str | None = None) -> Florence2:  # noqa: ARG002
        """Load the model."""
        return load_named(self.config.base, self.config.revision)

    def tasks(self) -> TaskTable:
        """Return the tasks of the model; its weights are not read."""
        return named_tasks(self.config.base, self.config.revision)


def model_source(config: ModelConfig, tracking_uri: str | None = None) -> ModelSource:
    """Return the source of a model; nothing is loaded, and neither hub nor registry is queried.

    Args:
        config: names it: the folder of a run, of a checkpoint or of a saved model, ``models:/NAME@ALIAS``,
            ``builtin:nano``, or a hub id.
        tracking_uri: the MLflow store of a registered one; None: that of the environment, else of the local stack.

    Raises:
        ModelError: no model can have that name.
        RegistryError: no store is known.
    """
    if config.base.startswith(SCHEME):
        return ModelAddress.of(config.base, tracking_uri)
    check_named(config.base)
    return NamedSource(config)


def exportable_model(config: ModelConfig, title: str, tracking_uri: str | None = None) -> Exportable:
    """Load a model with its card, to be exported.

    Args:
        config: names it, as for ``model_source``.
        title: of its card, where it has none.
        tracking_uri: as for ``model_source``.

    Raises:
        ModelError: there is no such model, or it is damaged.
        RegistryError: there is no such registered model, or no store.
    """
    if config.base.startswith(SCHEME):
        return registered_exportable(config.base, tracking_uri)
    return load_exportable(config.base, title, config.revision)
