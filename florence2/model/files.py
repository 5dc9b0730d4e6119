"""One file of a base: of a folder, or of the hub."""

from __future__ import annotations

from pathlib import Path

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import hub_commit, resolve

__all__ = ["model_file"]


def model_file(config: ModelConfig, name: str) -> Path:
    """Return a file of a model; that of a hub id is downloaded, or taken from the local cache.

    Raises:
        ModelError: there is no such model, or the file is neither on the hub nor in its local cache.
    """
    source = resolve(config)
    if Path(source).is_dir():
        return Path(source, name)
    commit = hub_commit(source, config.revision)
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(source, name, revision=commit))
    except Exception as exc:  # every way in which the hub can fail
        raise ModelError(f"base model {source!r}: {name} is neither on the hub nor in its local cache") from exc
