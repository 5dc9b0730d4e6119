"""``models:/NAME@ALIAS`` and ``models:/NAME/VERSION``: from the address of a registered model to the model."""

from __future__ import annotations

import json
import re

from florence2.adapters.mlflow.aliases import Registry
from florence2.adapters.mlflow.local_store import default_tracking_uri
from florence2.adapters.mlflow.registry import MODEL_CARD, STATISTICS, RegisteredModel
from florence2.errors import ConfigurationError, RegistryError
from florence2.export.source import Exportable, hub_facts
from florence2.model.base import Florence2, load_folder

__all__ = ["SCHEME", "load_registered", "registered", "registered_exportable"]

SCHEME = "models:/"
_URI = re.compile(r"models:/+(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>[0-9]+))")


def registered(uri: str, tracking_uri: str | None = None) -> tuple[Registry, RegisteredModel]:
    """Find the version that an address means.

    Args:
        uri: the address.
        tracking_uri: of the store; None: that of ``MLFLOW_TRACKING_URI``, else the local stack's.

    Raises:
        ConfigurationError: the address is none.
        RegistryError: there is no store, model, alias or version of that name.
    """
    found = _URI.fullmatch(uri)
    if found is None:
        raise ConfigurationError(f"{uri}: is no registered model; write {SCHEME}NAME@ALIAS or {SCHEME}NAME/VERSION")
    registry = Registry(tracking_uri or default_tracking_uri(), found["name"])
    if found["version"]:
        return registry, registry.version(found["version"])
    model = registry.version_of(found["alias"])
    if model is None:
        known = ", ".join(registry.aliases()) or "none"
        raise RegistryError(f"{registry.name}: no alias {found['alias']!r}; there are {known}")
    return registry, model


def load_registered(uri: str, tracking_uri: str | None = None) -> Florence2:
    """Load a registered model, in float32 on the CPU; raises as ``registered``, and ``ModelError`` if it is damaged."""
    registry, model = registered(uri, tracking_uri)
    return load_folder(str(registry.download(model.version)))


def registered_exportable(uri: str, tracking_uri: str | None = None) -> Exportable:
    """Return a registered model with its card and figures, to be exported; raises as ``load_registered``."""
    registry, model = registered(uri, tracking_uri)
    tags = registry.tags_of(model.version)
    try:
        card = registry.text_of(model.version, MODEL_CARD)
    except RegistryError:  # registered by another program
        card = registry.card_of(model.version) or f"# {model.name}\n\nNobody wrote down what this model is.\n"
    try:
        statistics = json.loads(registry.text_of(model.version, STATISTICS))
        tasks = [token for token in statistics["overall"]["tasks"]["counts"] if token]
    except (RegistryError, ValueError, KeyError, TypeError):
        tasks = []
    facts = hub_facts(tags.get("base", ""), tasks, _figures(tags))
    return Exportable(load_folder(str(registry.download(model.version))), card, facts)


def _figures(tags: dict[str, str]) -> dict[str, float]:
    """Return the figures among the tags of a version."""
    from florence2.evaluation.figures import FIGURES

    return {name: float(tags[name]) for name in FIGURES if name in tags}
