"""A folder that plain transformers loads: merged safetensors, processor, model card."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from florence2.export.exportable import Exportable
from florence2.model import SavedType, save_folder
from florence2.storage import atomic_folder

__all__ = ["export_transformers"]


def export_transformers(source: Exportable, output: Path, dtype: SavedType = "float32") -> Path:
    """Write a model with its processor and a ``README.md``, atomically, and return the folder.

    Args:
        source: the model.
        output: a new folder, or an empty one.
        dtype: type of the written weights.

    Raises:
        ConfigurationError: the name is taken, or the folder cannot be written.
    """
    version = metadata.version("transformers")
    with atomic_folder(output) as folder:
        save_folder(source.florence2, folder, dtype)
        source.write_card(folder, output.name, "load_transformers.md", dtype=dtype, transformers=version)
    return output
