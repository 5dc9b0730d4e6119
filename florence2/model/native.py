"""A model as native transformers reads it: one in Microsoft's layout is converted once, and kept in the user's cache.

A hub id in that layout is downloaded as files: none of its code is fetched, and none is imported.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from florence2.errors import DatasetError, ModelError
from florence2.model.adapter import ADAPTER_FILES, is_adapter
from florence2.model.microsoft.folder import is_published_folder, write_native, write_native_files
from florence2.model.microsoft.weights import WEIGHTS
from florence2.storage import cache_folder, hash_files, make_once

__all__ = ["adapter_folder", "hub_file", "native_file", "native_source", "published_folder"]

logger = logging.getLogger(__name__)

_CONVERTER = 1
"""Part of the name of a converted model; a converter whose result differs has another number."""

_TEXTS = ("*.json", "*.txt")
_WEIGHTS = tuple(f"*{Path(name).suffix}" for name in WEIGHTS)


def native_source(source: str, commit: str | None) -> str:
    """Return what native transformers loads for a model: itself, or the folder of its conversion.

    Args:
        source: folder or hub id.
        commit: of a hub id.

    Raises:
        ModelError: it is in Microsoft's layout and cannot be converted; nothing incomplete is kept.
    """
    folder = published_folder(source, commit)
    if folder is None:
        return source
    return str(_converted(folder, source, (*_TEXTS, *_WEIGHTS), write_native))


def native_file(source: str, commit: str | None, name: str) -> Path | None:
    """Return a native file other than the weights, of a folder or a hub id; None where the hub has no such file.

    Args:
        source: folder or hub id.
        commit: of a hub id.
        name: such as config.json.

    Raises:
        ModelError: it is in Microsoft's layout and cannot be converted.
    """
    folder = published_folder(source, commit, weights=False)
    if folder is not None:
        return _converted(folder, source, _TEXTS, write_native_files) / name
    return Path(source, name) if Path(source).is_dir() else hub_file(source, commit, name)


def published_folder(source: str, commit: str | None, *, weights: bool = True) -> Path | None:
    """Return the folder of a model in Microsoft's layout, downloaded if it is a hub id; None for any other model.

    Args:
        source: folder or hub id.
        commit: of a hub id.
        weights: whether weights are needed, too.

    Raises:
        ModelError: it cannot be downloaded.
    """
    if Path(source).is_dir():
        return Path(source) if is_published_folder(Path(source)) else None
    config = hub_file(source, commit, "config.json")
    if config is None or not is_published_folder(config.parent):
        return None
    folder = _download(source, commit, _TEXTS)
    kinds = iter(_WEIGHTS if weights else ())
    while (kind := next(kinds, None)) and not any(folder.glob(kind)):
        folder = _download(source, commit, (*_TEXTS, kind))
    return folder


def adapter_folder(source: str, commit: str | None) -> Path | None:
    """Return the folder of an adapter without a whole model, downloaded if it is a hub id; None for any other model.

    Args:
        source: folder or hub id.
        commit: of a hub id.

    Raises:
        ModelError: it cannot be downloaded.
    """
    if Path(source).is_dir():
        return Path(source) if is_adapter(Path(source)) else None
    if hub_file(source, commit, "config.json") is not None or hub_file(source, commit, ADAPTER_FILES[0]) is None:
        return None
    return _download(source, commit, ADAPTER_FILES)


def hub_file(source: str, commit: str | None, name: str) -> Path | None:
    """Return a file of a hub id, downloaded or from the local cache; None where neither has it."""
    from huggingface_hub import hf_hub_download

    try:
        return Path(hf_hub_download(source, name, revision=commit))
    except Exception:  # every way in which the hub can fail
        return None


def _download(source: str, commit: str | None, patterns: Sequence[str]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source, revision=commit, allow_patterns=list(patterns), ignore_patterns=["*/*"]))
    except Exception as exc:  # every way in which the hub can fail
        raise ModelError(f"model {source!r}: its files cannot be downloaded ({exc}); connect to the network") from exc


def _converted(folder: Path, source: str, patterns: Sequence[str], write: Callable[[Path, Path], None]) -> Path:
    """Return the folder of a conversion in the cache, named by the content of the original."""
    names = sorted({file.name for pattern in patterns for file in folder.glob(pattern) if file.is_file()})

    def make(target: Path) -> None:
        if write is write_native:
            logger.info("%s has Microsoft's layout: it is converted once and kept in %s", source, kept)
        target.mkdir()
        write(folder, target)

    try:
        hashes = hash_files(folder, names)
        text = "\n".join([f"{write.__name__} {_CONVERTER}", *(f"{name} {hashes[name]}" for name in names)])
        kept = cache_folder("converted") / hashlib.sha256(text.encode()).hexdigest()[:32]
        return make_once(kept, make)
    except DatasetError as exc:
        raise ModelError(str(exc)) from exc
