"""A folder in Microsoft's layout: what its code loads, and programs that were written for it."""

from __future__ import annotations

from pathlib import Path

from florence2.export.exportable import Exportable
from florence2.model import CODE_SOURCE, SavedType, write_published
from florence2.storage import atomic_folder

__all__ = ["export_microsoft"]


def export_microsoft(source: Exportable, output: Path, dtype: SavedType = "float32") -> Path:
    """Write a model in Microsoft's layout with a ``README.md``, atomically, and return the folder.

    Args:
        source: the model.
        output: a new folder, or an empty one.
        dtype: type of the written weights.

    Raises:
        ConfigurationError: the name is taken, or the folder cannot be written.
        ModelError: the model has something that Microsoft's code has not.
    """
    with atomic_folder(output) as folder:
        write_published(source.florence2, folder, dtype)
        source.write_card(folder, output.name, "load_microsoft.md", dtype=dtype, code_source=CODE_SOURCE)
    return output
