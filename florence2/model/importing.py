"""Write a model that is in Microsoft's layout, or an adapter with its base, as a native folder."""

from __future__ import annotations

from pathlib import Path

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.adapter import Adapter
from florence2.model.base import hub_commit, load_adapted, resolve
from florence2.model.microsoft.folder import write_native
from florence2.model.native import adapter_folder, published_folder
from florence2.model.saving import save_folder
from florence2.storage import atomic_folder, check_new_folder

__all__ = ["import_model"]


def import_model(source: str, folder: Path, revision: str | None = None, base: str | None = None) -> Path:
    """Write the native model of one in Microsoft's layout, or of an adapter and its base, and return the folder.

    Weights keep their type; those with an adapter merged into them are float32.

    Args:
        source: folder or hub id of a model or an adapter.
        folder: a new folder, or an empty one; it appears when it is complete.
        revision: branch, tag or commit of a hub id.
        base: of an adapter; None: the one that it names.

    Raises:
        ConfigurationError: the folder is taken, or cannot be written.
        ModelError: there is no such model, it is native already, or it cannot be converted.
    """
    check_new_folder(folder)
    found = resolve(ModelConfig(base=source, revision=revision))
    commit = None if Path(found).is_dir() else hub_commit(found, revision)
    adapter = adapter_folder(found, commit)
    if adapter is not None:
        model = load_adapted(Adapter.read(adapter), None if base is None else ModelConfig(base=base))
        with atomic_folder(folder) as partial:
            save_folder(model, partial)
        return folder
    if base is not None:
        raise ModelError(f"{source}: is no adapter, so it has no base; leave --base out")
    published = published_folder(found, commit)
    if published is None:
        raise ModelError(
            f"{source}: is not in Microsoft's layout; a native model is used as it is, by --model {source}"
        )
    with atomic_folder(folder) as partial:
        write_native(published, partial)
    return folder
