"""Write a model as plain transformers reads it: safetensors, configuration, processor."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from florence2.model.florence import Florence2
from florence2.model.quiet import quiet_transformers

__all__ = ["SavedType", "save_folder", "writing_weights"]

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

    model: Any = florence2.model.to(getattr(torch, dtype))
    with quiet_transformers():
        with writing_weights(folder):
            model.save_pretrained(folder)
        florence2.processor.save_pretrained(folder)
    return folder


@contextlib.contextmanager
def writing_weights(folder: Path) -> Iterator[None]:
    """Write safetensors into a folder as other files are written.

    A full disk, of which safetensors gives no number, is an OSError, and who may read ``config.json`` may read them:
    safetensors lets their owner alone, with any umask.

    Args:
        folder: ``config.json`` is in it when this ends.

    Raises:
        OSError: the folder cannot be written.
    """
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as exc:
        raise OSError(None, str(exc)) from exc
    mode = (folder / "config.json").stat().st_mode
    for weights in folder.glob("*.safetensors"):
        weights.chmod(mode)
