"""What the active artifact store keeps for steps on any machine: packed folders, and the saves of a training.

The library reads addresses with the credentials that fsspec finds. Steps use the stack's own credentials first:
``fetch_packed`` puts a packed folder into the machine's cache, where the library finds it.
"""

from __future__ import annotations

from typing import Any

import fsspec  # type: ignore[import-untyped]
from zenml.client import Client

from florence2.storage import is_packed, unpacked

__all__ = ["fetch_packed", "file_system", "remote_folder"]

_FOLDER = "florence2"


def remote_folder() -> str | None:
    """Return the URI of this project's folder in the active artifact store; None if the store is on this machine."""
    store = Client().active_stack.artifact_store
    return None if store.config.is_local else f"{store.path.rstrip('/')}/{_FOLDER}"


def file_system(address: str) -> Any:
    """Return the fsspec file system of an address: that of the artifact store, with its credentials, if it is there."""
    store = Client().active_stack.artifact_store
    if address.startswith(f"{store.path.rstrip('/')}/") and hasattr(store, "filesystem"):
        return store.filesystem
    return fsspec.core.url_to_fs(address)[0]


def fetch_packed(*sources: str | None) -> None:
    """Unpack packed folders into the cache of this machine, unless the cache has them.

    Args:
        sources: addresses; those that are not of a packed folder are ignored.

    Raises:
        DatasetError: one does not exist, cannot be read, or has other content than its name says.
    """
    for source in sources:
        if source is not None and is_packed(source):
            unpacked(source, files=file_system(source))
