"""Write a model that is in Microsoft's layout as a native folder."""

from __future__ import annotations

from pathlib import Path

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import hub_commit, resolve
from florence2.model.microsoft.folder import write_native
from florence2.model.native import published_folder
from florence2.storage import atomic_folder, check_new_folder

__all__ = ["import_model"]


def import_model(source: str, folder: Path, revision: str | None = None) -> Path:
    """Write the native model of one in Microsoft's layout and return the folder; the type of its weights is kept.

    Args:
        source: folder or hub id.
        folder: a new folder, or an empty one; it appears when it is complete.
        revision: branch, tag or commit of a hub id.

    Raises:
        ConfigurationError: the folder is taken, or cannot be written.
        ModelError: there is no such model, it is native already, or it cannot be converted.
    """
    check_new_folder(folder)
    found = resolve(ModelConfig(base=source, revision=revision))
    commit = None if Path(found).is_dir() else hub_commit(found, revision)
    published = published_folder(found, commit)
    if published is None:
        raise ModelError(
            f"{source}: is not in Microsoft's layout; a native model is used as it is, by --model {source}"
        )
    with atomic_folder(folder) as partial:
        write_native(published, partial)
    return folder
