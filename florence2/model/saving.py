"""Write a model as plain transformers reads it: safetensors, configuration, processor."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from florence2.model.florence import Florence2
from florence2.model.quiet import quiet_transformers

__all__ = ["SavedType", "save_folder"]

SavedType = Literal["float32", "float16", "bfloat16"]
"""Type of the weights in the file."""


def save_folder(florence2: Florence2, folder: Path, dtype: SavedType = "float32") -> Path:
    """Write a model and its processor into a folder, which is made if it is absent, and return the folder.

    Args:
        florence2: the model with merged adapters; it has the type ``dtype`` afterwards.
        folder: folder to write into.
        dtype: type of the weights in the file.

    Raises:
        OSError: the folder cannot be written.
    """
    import torch
    from safetensors import SafetensorError

    model: Any = florence2.model.to(getattr(torch, dtype))
    with quiet_transformers():
        try:
            model.save_pretrained(folder)
        except SafetensorError as exc:  # a full disk is an error without a number
            raise OSError(None, str(exc)) from exc
        florence2.processor.save_pretrained(folder)
    mode = (folder / "config.json").stat().st_mode
    for weights in folder.glob("*.safetensors"):
        weights.chmod(mode)  # safetensors makes them readable for their owner only, with any umask
    return folder
