"""Find and load the model to start from: ``builtin:nano``, a folder, or a hub id. One code path for all three."""

from __future__ import annotations

import hashlib
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.quiet import quiet_transformers

if TYPE_CHECKING:
    from transformers import Florence2ForConditionalGeneration, Florence2Processor

__all__ = ["BUILTIN_MODELS", "Florence2", "base_fingerprint", "best_device", "load_base", "load_folder"]

BUILTIN_MODELS: dict[str, Path] = {"builtin:nano": Path(__file__).parent / "nano"}
"""Models that come with the package, by the name that a configuration gives them."""


@dataclass(frozen=True)
class Florence2:
    """A model with its processor.

    Attributes:
        model: the native Florence-2, or a PEFT model around it.
        processor: its processor: image transform and tokenizer.
    """

    model: Florence2ForConditionalGeneration
    processor: Florence2Processor

    @property
    def tokenizer(self) -> Any:
        """Return the processor's tokenizer."""
        return self.processor.tokenizer

    @property
    def max_target_tokens(self) -> int:
        """Return how many tokens an answer can have at most, begin and end tokens included."""
        config: Any = self.model.config
        return int(config.text_config.max_position_embeddings)


def load_base(config: ModelConfig) -> Florence2:
    """Load the base model in float32 on the CPU.

    Args:
        config: names the model.

    Raises:
        ModelError: there is no such model, it cannot be reached, or it is not a native Florence-2.
    """
    return load_folder(_resolve(config), config.revision)


def load_folder(source: str, revision: str | None = None) -> Florence2:
    """Load a native Florence-2 and its processor from a folder or a hub id, in float32 on the CPU.

    Args:
        source: folder or hub id.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: nothing is there, or it is not a native Florence-2.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoProcessor, Florence2ForConditionalGeneration

    try:
        with quiet_transformers():
            # The converted weights of the hub are float16: the type is chosen here, never left to the file.
            # The hub's default revision is called main.
            model = Florence2ForConditionalGeneration.from_pretrained(
                source, revision=revision or "main", dtype=torch.float32
            )
            processor = AutoProcessor.from_pretrained(source, revision=revision or "main")
    except (KeyError, OSError, RuntimeError, SafetensorError, ValueError) as exc:
        if "florence2_language" in str(exc):
            raise ModelError(_remote_code_message(source)) from exc
        reason = textwrap.shorten(str(exc) or type(exc).__name__, 300)
        raise ModelError(f"model {source!r} cannot be loaded: {reason}") from exc
    # A forced end token would cut every answer at max_length and is no part of greedy decoding.
    model.generation_config.forced_eos_token_id = None
    return Florence2(model, processor)


def base_fingerprint(config: ModelConfig) -> str:
    """Identify the content of the base model, so that a change of it is noticed.

    Returns:
        A hash of the files of a folder or a built-in model; the commit of a hub id.

    Raises:
        ModelError: there is no such model, or the hub can be reached neither on line nor in its local cache.
    """
    source = _resolve(config)
    folder = Path(source)
    if folder.is_dir():
        digest = hashlib.sha256()
        for file in sorted(folder.iterdir()):
            if file.is_file() and file.suffix != ".md":
                digest.update(file.name.encode())
                with file.open("rb") as stream:
                    digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()
    return _hub_commit(source, config.revision)


def best_device() -> str:
    """Return ``cuda`` where a GPU is present, else ``cpu``."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _resolve(config: ModelConfig) -> str:
    """Turn the name of a base into something that from_pretrained takes, or say what is wrong with it."""
    base = config.base
    if base.startswith("builtin:"):
        if base not in BUILTIN_MODELS:
            raise ModelError(f"unknown built-in model {base!r}; there is: {', '.join(BUILTIN_MODELS)}")
        return str(BUILTIN_MODELS[base])
    if Path(base).is_dir():
        if not (Path(base) / "config.json").is_file():
            raise ModelError(f"{base} is a folder but holds no config.json: not a saved transformers model")
        return base
    if base.lower().startswith("microsoft/florence-2"):
        raise ModelError(_remote_code_message(base))
    if base.count("/") != 1 or base.startswith((".", "/", "~")):
        raise ModelError(
            f"unknown base model {base!r}: no folder of that name; "
            "give builtin:nano, a folder, or a hub id such as florence-community/Florence-2-base-ft"
        )
    return base


def _hub_commit(source: str, revision: str | None) -> str:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    try:
        return HfApi().model_info(source, revision=revision, timeout=10).sha or "unknown"
    except (RepositoryNotFoundError, RevisionNotFoundError) as exc:
        raise ModelError(f"unknown base model {source!r} (revision {revision}): the hub knows no such model") from exc
    except Exception:  # the hub cannot be reached: an earlier download will do
        try:
            return Path(snapshot_download(source, revision=revision, local_files_only=True)).name
        except Exception as exc:
            raise ModelError(
                f"unknown base model {source!r}: it is no folder here, the model hub cannot be reached, and no earlier "
                "download is in its cache; give builtin:nano, a folder, or go on line"
            ) from exc


def _remote_code_message(source: str) -> str:
    name = source.rsplit("/", 1)[-1]
    return (
        f"model {source!r} has Microsoft's remote-code layout, which native transformers cannot load; "
        f"use 'florence-community/{name}', the same weights converted"
    )
