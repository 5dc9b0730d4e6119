"""One file of a base: of a folder, or of the hub."""

from __future__ import annotations

from pathlib import Path

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.adapter import Adapter
from florence2.model.base import hub_commit, resolve
from florence2.model.native import adapter_folder, native_file

__all__ = ["model_file"]


def model_file(config: ModelConfig, name: str) -> Path:
    """Return a native file of a model; that of a hub id is downloaded, or taken from the local cache.

    Weights are not among them: of a model in Microsoft's layout only its configuration and tokenizer are converted.
    Those of an adapter are those of its base.

    Raises:
        ModelError: there is no such model, or the file is neither on the hub nor in its local cache.
    """
    source = resolve(config)
    commit = None if Path(source).is_dir() else hub_commit(source, config.revision)
    adapter = adapter_folder(source, commit)
    if adapter is not None:
        return model_file(Adapter.read(adapter).base, name)
    file = native_file(source, commit, name)
    if file is None:
        raise ModelError(f"base model {source!r}: {name} is neither on the hub nor in its local cache")
    return file
