"""The models that a page shows: those that are named, else champion and challenger of the registry."""

from __future__ import annotations

import logging

from florence2.adapters import CHALLENGER, CHAMPION, SCHEME, ModelAddress, Registry, default_tracking_uri, model_source
from florence2.config import ModelConfig
from florence2.errors import RegistryError
from florence2.evaluation import public_name
from florence2.model import Florence2, load_named
from florence2.storage import redact

__all__ = ["named_models", "registered_models"]

logger = logging.getLogger(__name__)

_FALLBACK = "builtin:nano"


def named_models(names: list[str], tracking_uri: str | None = None) -> dict[str, Florence2]:
    """Load models by the names that a user types, ``models:/NAME@ALIAS`` among them.

    Raises:
        ModelError: there is no such model.
        RegistryError: there is no such registered model.
    """
    loaded: dict[str, Florence2] = {}
    for name in names:
        title = name.removeprefix(SCHEME) if name.startswith(SCHEME) else public_name(name)
        while title in loaded:  # two folders of one name
            title += "'"
        loaded[title] = model_source(ModelConfig(base=name), tracking_uri).load()
    return loaded


def registered_models(name: str, tracking_uri: str | None = None) -> dict[str, Florence2]:
    """Load the champion of a registered model, and its challenger where that is another version.

    Args:
        name: of the registered model.
        tracking_uri: of the store; None: that of ``MLFLOW_TRACKING_URI``, else the local stack's; where there is
            none, or no champion in it, the built-in model is taken.

    Raises:
        RegistryError: the store that was named cannot be read, or has no champion of that name.
    """
    try:
        registry = Registry(tracking_uri or default_tracking_uri(), name)
        aliases = registry.aliases()  # where there is no such model, the message names those that there are
        if CHAMPION not in aliases:
            there = " or ".join(f"{SCHEME}{name}@{alias}" for alias in sorted(aliases)) or "the folder of a run"
            raise RegistryError(
                f"{name} has no champion in {redact(registry.tracking_uri)}; name a model by --model, such as {there}"
            )
    except RegistryError as exc:
        if tracking_uri is not None:
            raise
        logger.info("%s; showing %s", exc, _FALLBACK)
        return {_FALLBACK: load_named(_FALLBACK)}
    shown = [CHAMPION] if aliases.get(CHALLENGER, aliases[CHAMPION]) == aliases[CHAMPION] else [CHAMPION, CHALLENGER]
    address = ModelAddress(registry.tracking_uri, name)
    return {f"{alias}, version {aliases[alias]}": address.load(aliases[alias]) for alias in shown}
