"""Find and load a base model: a built-in one, a folder, packed or not, or a hub id. One way for all."""

from __future__ import annotations

import hashlib
import os
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.config import ModelConfig
from florence2.errors import DatasetError, ModelError
from florence2.model.adapter import Adapter, is_adapter
from florence2.model.florence import GENERATION_TOKENS, HUB_BASE, Florence2
from florence2.model.merging import merge_adapter
from florence2.model.native import adapter_folder, native_source
from florence2.model.quiet import quiet_transformers
from florence2.storage import is_packed, unpacked

if TYPE_CHECKING:
    from transformers import GenerationConfig

__all__ = [
    "BUILTIN_MODELS",
    "base_files",
    "base_fingerprint",
    "best_device",
    "check_exact",
    "hub_commit",
    "load_adapted",
    "load_base",
    "load_exact",
    "load_folder",
    "resolve",
    "unpacked_model",
]

_RUN = re.compile(r"(?:runs|outputs)/[^/]+|[^/]+/\d+")
"""Like the folder of a run: nobody on the hub calls a model by a number."""

_BUILTIN = Path(__file__).parents[1] / "builtin"

BUILTIN_MODELS: dict[str, Path] = {f"builtin:{name}": _BUILTIN / name for name in ("nano", "small")}
"""Models that come with the package, by the name that a configuration gives them."""


def load_base(config: ModelConfig) -> Florence2:
    """Load the base model in float32 on the CPU.

    Args:
        config: names the model.

    Raises:
        ModelError: there is no such model, it cannot be reached, or it is not a native Florence-2.
    """
    source = resolve(config)
    revision = config.revision if Path(source).is_dir() else hub_commit(source, config.revision)
    folder = adapter_folder(source, revision)
    return _load_files(source, revision) if folder is None else load_adapted(Adapter.read(folder))


def load_adapted(adapter: Adapter, base: ModelConfig | None = None) -> Florence2:
    """Load a model with an adapter merged into it, in float32 on the CPU.

    Args:
        adapter: of another program.
        base: the model on which it was trained; None: the one that it names.

    Raises:
        ModelError: there is no such base, or the adapter does not belong to it.
    """
    try:
        loaded = load_base(base or adapter.base)
    except ModelError as exc:
        if base is not None:
            raise
        raise ModelError(
            f"{adapter.folder}: the base of this adapter cannot be loaded: {exc}; another path of it is given by "
            f"`florence2 import {adapter.folder} FOLDER --base BASE`"
        ) from exc
    return merge_adapter(loaded, adapter)


def load_exact(config: ModelConfig, fingerprint: str) -> Florence2:
    """Load a base model whose content has a given fingerprint.

    Args:
        config: names the model; for a hub id the fingerprint is the commit that is loaded, not the newest one.
        fingerprint: what ``base_fingerprint`` returned earlier.

    Raises:
        ModelError: it cannot be loaded, or it has changed.
    """
    if not Path(resolve(config)).is_dir():
        return load_base(config.model_copy(update={"revision": fingerprint}))
    check_exact(config, fingerprint)
    return load_base(config)


def check_exact(config: ModelConfig, fingerprint: str) -> None:
    """Check that a base model is there with a given content; it is not loaded.

    Args:
        config: names the model.
        fingerprint: what ``base_fingerprint`` returned earlier; for a hub id the commit.

    Raises:
        ModelError: there is no such model any more, or it has changed.
    """
    source = resolve(config)
    found = base_fingerprint(config) if Path(source).is_dir() else hub_commit(source, fingerprint)
    if found != fingerprint:
        raise ModelError(
            f"{config.base} has changed: its fingerprint must be {fingerprint[:12]} and is {found[:12]}; "
            "restore that base or train again"
        )


def load_folder(source: str, revision: str | None = None) -> Florence2:
    """Load a Florence-2 and its processor from a folder or a hub id, in float32 on the CPU.

    Args:
        source: folder or hub id, native or in Microsoft's layout.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: there is no model, or it is not a complete Florence-2.
    """
    if Path(source).is_absolute() and not Path(source).is_dir():
        # transformers would take it for a hub id and report an invalid one.
        raise ModelError(f"model {source!r} cannot be loaded: there is no such folder")
    if not Path(source).is_dir():
        # Requested first and once: transformers would try for a minute, and then name settings of its own.
        revision = hub_commit(source, revision)
    return _load_files(source, revision)


def _load_files(source: str, revision: str | None) -> Florence2:
    """Load a model from a folder, or from a hub id by its commit."""
    files = native_source(source, revision)
    import torch
    from safetensors import SafetensorError
    from transformers import AutoProcessor, Florence2ForConditionalGeneration

    try:
        with quiet_transformers():
            # The converted weights of the hub are float16: the type is chosen here, not by the file.
            # The hub's default revision is called main.
            loaded: Any = Florence2ForConditionalGeneration.from_pretrained(
                files, revision=revision or "main", dtype=torch.float32, output_loading_info=True
            )
            model, found = loaded
            processor = AutoProcessor.from_pretrained(files, revision=revision or "main")
    except (KeyError, OSError, RuntimeError, SafetensorError, ValueError) as exc:
        reason = textwrap.shorten(str(exc) or type(exc).__name__, 300)
        raise ModelError(f"model {source!r} cannot be loaded: {reason}") from exc
    # Without this check such weights would start as random numbers.
    missing = [*found["missing_keys"], *(key for key, *_ in found["mismatched_keys"])]
    if missing:
        raise ModelError(
            f"model {source!r} is not a complete native Florence-2: {len(missing)} weights are missing or of another "
            f"shape, for example {', '.join(sorted(missing)[:3])}"
        )
    model.name_or_path = source  # a converted one is not called by its path in the cache
    florence2 = Florence2(model, processor)
    model.generation_config = _plain_generation(model.generation_config, florence2.max_tokens)
    return florence2


def base_fingerprint(config: ModelConfig) -> str:
    """Return the fingerprint of the base model's content.

    Returns:
        A hash of the files of a folder or a built-in model, of an adapter and its base; the commit of a hub id.

    Raises:
        ModelError: there is no such model, or neither the hub can be reached nor its local cache has it.
    """
    source = resolve(config)
    folder = Path(source)
    if not folder.is_dir():
        return hub_commit(source, config.revision)
    digest = hashlib.sha256()
    for file in base_files(folder):
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    if adapter_folder(source, None) is not None:
        digest.update(base_fingerprint(Adapter.read(folder).base).encode())
    return digest.hexdigest()


def base_files(folder: Path) -> list[Path]:
    """Return the sorted files that belong to a saved model: those in the folder itself except ``.md`` files."""
    return sorted(file for file in folder.iterdir() if file.is_file() and file.suffix != ".md")


def best_device() -> str:
    """Return ``cuda`` where torch sees a GPU, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _plain_generation(published: GenerationConfig, max_tokens: int) -> GenerationConfig:
    """Keep only the special tokens, see ``GENERATION_TOKENS``, and set the model's limit."""
    from transformers import GenerationConfig

    kept = {name: getattr(published, name) for name in GENERATION_TOKENS}
    # The start token has the first position, and the last answer token is never an input.
    return GenerationConfig(max_new_tokens=max_tokens - 2, **kept)


def resolve(config: ModelConfig) -> str:
    """Return what ``from_pretrained`` accepts for the name of a base: a folder or a hub id.

    Raises:
        ModelError: no model can have that name; the message says why.
    """
    base = config.base
    if base == "auto":
        raise ModelError("model.base is auto, and only a training chooses a base: name a model")
    if base.startswith("builtin:"):
        if base not in BUILTIN_MODELS:
            raise ModelError(f"unknown built-in model {base!r}; there is: {', '.join(BUILTIN_MODELS)}")
        if not (BUILTIN_MODELS[base] / "config.json").is_file():  # a README of the folder may be there
            raise ModelError(
                f"{base}: {BUILTIN_MODELS[base].parents[1]} is the copy of the library that came with a registered "
                "model, which has no weights of built-in bases; import the installed florence2 before MLflow loads "
                "that model, or load the base in another process"
            )
        return str(BUILTIN_MODELS[base])
    if is_packed(base):
        return str(unpacked_model(base))
    folder = Path(os.path.expanduser(base))  # noqa: PTH111 - Path.expanduser raises for unknown users
    if folder.is_dir():
        if not (folder / "config.json").is_file() and not is_adapter(folder):
            raise ModelError(f"{base} is a folder without a config.json: it is not a saved transformers model")
        return str(folder)
    if _RUN.fullmatch(base):
        raise ModelError(
            f"unknown base model {base!r}: there is no such folder{_folders_near(base)}; give a folder that there is"
        )
    if base.count("/") != 1 or base.startswith((".", "/", "~")):
        raise ModelError(
            f"unknown base model {base!r}: no folder of that name; "
            f"give {', '.join(BUILTIN_MODELS)}, a folder, or a hub id such as {HUB_BASE}"
        )
    return base


def unpacked_model(address: str) -> Path:
    """Return the folder of a packed model.

    Raises:
        ModelError: it cannot be fetched.
    """
    try:
        return unpacked(address)
    except DatasetError as exc:
        raise ModelError(str(exc)) from exc


def hub_commit(source: str, revision: str | None) -> str:
    """Return the newest commit of a model of the hub; where the hub cannot be reached, that of an earlier download.

    Raises:
        ModelError: there is no such model, or neither the hub can be reached nor its local cache has it.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        commit = HfApi().model_info(source, revision=revision, timeout=10).sha
    except GatedRepoError as exc:
        raise ModelError(
            f"base model {source!r} is gated: request access on the hub, then run `hf auth login`"
        ) from exc
    except (RepositoryNotFoundError, RevisionNotFoundError) as exc:
        raise ModelError(
            f"unknown base model {source!r} (revision {revision}): the hub has no such model{_folders_near(source)}"
        ) from exc
    except Exception:  # every way in which the hub can fail; an earlier download is used
        commit = None
    if commit is not None:
        return commit
    try:
        return Path(snapshot_download(source, revision=revision, local_files_only=True)).name
    except Exception as exc:
        raise ModelError(
            f"unknown base model {source!r}: there is no such folder{_folders_near(source)}, the model hub cannot be "
            "reached, and its local cache has no earlier download; "
            f"give {', '.join(BUILTIN_MODELS)}, a folder, or connect to the network"
        ) from exc


def _folders_near(source: str) -> str:
    """Return a hint with the folders next to a path that does not exist, such as that of a run."""
    folder = Path(source).parent
    if not folder.is_dir():
        return ""
    found = sorted(child.name for child in folder.iterdir() if child.is_dir())
    return f" (the folder {folder} contains {', '.join(found[:10]) or 'no folder'})"
