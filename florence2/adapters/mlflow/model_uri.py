"""``models:/NAME@ALIAS`` and ``models:/NAME/VERSION``: from the address of a registered model to the model."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from florence2.adapters.mlflow.local_store import default_tracking_uri
from florence2.adapters.mlflow.registry import Registry
from florence2.adapters.mlflow.versions import MODEL_CARD, STATISTICS
from florence2.codec import TaskTable
from florence2.errors import ModelError, RegistryError
from florence2.export import Exportable, hub_facts
from florence2.model import Florence2, load_folder, tasks_in

__all__ = ["SCHEME", "ModelAddress", "registered_exportable"]

SCHEME = "models:/"
_URI = re.compile(r"models:/+(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<number>[0-9]+))")


@dataclass(frozen=True)
class ModelAddress:
    """A version in an MLflow registry, by its number or by the alias that points to it.

    Attributes:
        tracking_uri: of the store.
        name: of the registered model.
        alias: that points to the version; empty where a number names it.
        number: of the version; empty where an alias points to it.
    """

    tracking_uri: str
    name: str
    alias: str = ""
    number: str = ""

    @classmethod
    def of(cls, uri: str, tracking_uri: str | None = None) -> ModelAddress:
        """Parse ``models:/NAME@ALIAS`` or ``models:/NAME/VERSION``.

        Args:
            uri: the address.
            tracking_uri: of the store; None: that of ``MLFLOW_TRACKING_URI``, else the local stack's.

        Raises:
            ModelError: the address has neither form.
            RegistryError: no store is known.
        """
        found = _URI.fullmatch(uri)
        if found is None:
            raise ModelError(f"{uri}: is not a registered model; write {SCHEME}NAME@ALIAS or {SCHEME}NAME/VERSION")
        return cls(tracking_uri or default_tracking_uri(), found["name"], found["alias"] or "", found["number"] or "")

    @property
    def registry(self) -> Registry:
        """Return the registry of that model."""
        return Registry(self.tracking_uri, self.name)

    @property
    def moves(self) -> bool:
        """Return whether the address names an alias, which may point to another version later."""
        return bool(self.alias)

    def version(self) -> str:
        """Return the number of the version to which the address points now.

        Raises:
            RegistryError: the store cannot be reached, or there is no such model, version or alias.
        """
        if not self.alias:
            return self.registry.version(self.number).version
        aliases = self.registry.aliases()
        if self.alias not in aliases:
            known = ", ".join(sorted(aliases)) or "none"
            raise RegistryError(f"{self.name}: no alias {self.alias!r}; there are {known}")
        return aliases[self.alias]

    def load(self, version: str | None = None) -> Florence2:
        """Load a version, in float32 on the CPU; None: the one to which the address points now. No file remains.

        Raises:
            RegistryError: the store cannot be reached, there is no such version, or its files are missing.
            ModelError: the files are not Florence-2.
        """
        with tempfile.TemporaryDirectory(prefix="florence2-", ignore_cleanup_errors=True) as folder:
            return load_folder(str(self.registry.download_into(Path(folder), version or self.version())))

    def tasks(self) -> TaskTable:
        """Return the tasks of the version to which the address points now; its weights are not fetched.

        Raises:
            RegistryError: the store cannot be reached, or there is no such version.
            ModelError: the record of its tasks is damaged.
        """
        return tasks_in(json.loads(self.registry.text_of(self.version(), "model/config.json")))


def registered_exportable(uri: str, tracking_uri: str | None = None) -> Exportable:
    """Return a registered model with its card and scores, to be exported; raises as ``ModelAddress``'s methods."""
    address = ModelAddress.of(uri, tracking_uri)
    registry, model = address.registry, address.registry.version(address.version())
    tags = registry.tags_of(model.version)
    try:
        card = registry.text_of(model.version, MODEL_CARD)
    except RegistryError:  # another program registered it
        card = registry.card_of(model.version) or f"# {model.name}\n\nThis model has no description.\n"
    try:
        statistics = json.loads(registry.text_of(model.version, STATISTICS))
        tasks = [token for token in statistics["overall"]["tasks"]["counts"] if token]
    except (RegistryError, ValueError, KeyError, TypeError):
        tasks = []
    facts = hub_facts(tags.get("base", ""), tasks, _scores(tags))
    return Exportable(address.load(model.version), card, facts)


def _scores(tags: dict[str, str]) -> dict[str, float]:
    """Return the scores among the tags of a version."""
    from florence2.evaluation import SCORES

    return {name: float(tags[name]) for name in SCORES if name in tags}
