"""A whole model: from a folder in Microsoft's layout to a native one, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.errors import ModelError
from florence2.model.florence import GENERATION_TOKENS, Florence2
from florence2.model.microsoft.config import (
    is_published,
    is_tied,
    native_config,
    native_image_processor,
    published_config,
    published_image_processor,
)
from florence2.model.microsoft.keys import native_weights, published_weights, to_microsoft
from florence2.model.microsoft.tokenizer import Vocabulary, native_tokenizer, published_tokenizer, read_vocabulary
from florence2.model.microsoft.weights import read_weights
from florence2.model.quiet import quiet_transformers
from florence2.model.saving import SavedType, writing_weights

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["is_published_folder", "write_native", "write_native_files", "write_published"]

_EMBEDDING = "model.language_model.shared.weight"
_HEAD = "lm_head.weight"
_PADDING = 64
"""Native Florence-2 has a multiple of so many rows in its token embedding."""

_USUAL_PADDINGS = (1, 8, 16, 32, 64, 128, 256)
_CONFIG, _IMAGES = "config.json", "preprocessor_config.json"


def is_published_folder(folder: Path) -> bool:
    """Return whether a folder holds a model in Microsoft's layout, by its config.json; False where that is missing."""
    try:
        return is_published(json.loads((folder / _CONFIG).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return False


def write_native(source: Path, target: Path) -> None:
    """Write the native model of a folder in Microsoft's layout, with weights of the same type.

    Args:
        source: folder in Microsoft's layout; none of the code in it is read.
        target: an empty folder.

    Raises:
        ModelError: something is missing, damaged, contradicts another file, or has no native equivalent.
        OSError: the folder cannot be written.
    """
    published, vocabulary = _read(source / _CONFIG), read_vocabulary(source)
    images = _read(source / _IMAGES)
    tied = is_tied(published)
    weights = native_weights(read_weights(source), source, tied=tied)
    config = _described(published, vocabulary, _checked_rows(source, published, weights, vocabulary))
    processor = native_image_processor(images, config, source / _IMAGES)
    rows = config["text_config"]["vocab_size"]
    for name in (_EMBEDDING, _HEAD):
        if name in weights:
            weights[name] = _with_rows(weights[name], rows)
    _check_shapes(source, config, weights)
    config["dtype"] = str(weights[_EMBEDDING].dtype).removeprefix("torch.")
    _write_files(target, config, vocabulary, processor)
    _write_weights(target, weights)


def write_native_files(source: Path, target: Path) -> None:
    """Write the native configuration and tokenizer alone; the folder needs no weights.

    Args:
        source: folder in Microsoft's layout.
        target: an empty folder.

    Raises:
        ModelError: as ``write_native``.
        OSError: the folder cannot be written.
    """
    published, vocabulary = _read(source / _CONFIG), read_vocabulary(source)
    rows = (published.get("text_config") or {}).get("vocab_size", 51289)
    if not isinstance(rows, int):
        raise ModelError(f"{source / _CONFIG}: text_config.vocab_size is {rows!r}; it must be a whole number")
    config = _described(published, vocabulary, rows)
    _write_files(target, config, vocabulary, native_image_processor(_read(source / _IMAGES), config, source / _IMAGES))


def _described(published: Mapping[str, Any], vocabulary: Vocabulary, rows: int) -> dict[str, Any]:
    """Return the native config.json; the embedding is padded if ``<image>`` has no row in it."""
    needed = len(vocabulary.ids)
    padded = rows if rows >= needed else -(-needed // _PADDING) * _PADDING
    return native_config(published, vocabulary.image_token_id, padded, _CONFIG)


def _checked_rows(
    source: Path, published: Mapping[str, Any], weights: Mapping[str, Tensor], vocabulary: Vocabulary
) -> int:
    """Return the rows of the token embedding after checking them against the tokenizer and the configuration."""
    if _EMBEDDING not in weights:
        raise ModelError(f"{source}: {to_microsoft(_EMBEDDING)} is missing in its weights; download the model again")
    rows = len(weights[_EMBEDDING])
    fitting = {
        -(-size // padding) * padding for size in {vocabulary.size, len(vocabulary.ids)} for padding in _USUAL_PADDINGS
    }
    if rows not in fitting:
        raise ModelError(
            f"{source}: the tokenizer has {vocabulary.size} tokens, those of Microsoft's processor included, and the "
            f"embedding has {rows} rows; give the tokenizer with which the model was trained"
        )
    stated = (published.get("text_config") or {}).get("vocab_size", rows)
    if stated != rows:
        raise ModelError(
            f"{source / _CONFIG}: text_config.vocab_size is {stated}, and the embedding has {rows} rows; "
            "correct the file"
        )
    return rows


def _with_rows(embedding: Tensor, rows: int) -> Tensor:
    """Return an embedding with rows added: their mean, whose logit is never the greatest."""
    import torch

    missing = rows - len(embedding)
    mean = embedding.float().mean(dim=0, keepdim=True).to(embedding.dtype)
    return torch.cat([embedding, mean.expand(missing, -1)]) if missing else embedding


def _check_shapes(source: Path, config: dict[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Compare the weights with a model of that configuration that has no memory."""
    import torch
    from transformers import Florence2Config, Florence2ForConditionalGeneration

    try:
        with quiet_transformers(), torch.device("meta"):
            expected = Florence2ForConditionalGeneration(Florence2Config.from_dict(config)).state_dict()
    except Exception as exc:  # every way in which a value can be wrong
        reason = " ".join(str(exc).split())[:200]
        raise ModelError(f"{source / _CONFIG}: there is no model of this configuration ({reason})") from exc
    copies = {name for name in expected if name.endswith(".embed_tokens.weight")}
    if is_tied(config):
        copies.add(_HEAD)
    problems = [f"{to_microsoft(name)} is missing" for name in expected.keys() - weights.keys() - copies]
    problems += [f"{to_microsoft(name)} is not expected" for name in sorted(weights.keys() - expected.keys())]
    problems += [
        f"{to_microsoft(name)} is {_shape(weights[name])} and must be {_shape(expected[name])}"
        for name in sorted(weights.keys() & expected.keys())
        if weights[name].shape != expected[name].shape
    ]
    if problems:
        raise ModelError(
            f"{source}: {len(problems)} weights do not fit its config.json: {'; '.join(sorted(problems)[:3])}; "
            "give the files of one model"
        )


def _shape(tensor: Tensor) -> str:
    return " x ".join(str(side) for side in tensor.shape)


def _write_files(target: Path, config: dict[str, Any], vocabulary: Vocabulary, processor: dict[str, Any]) -> None:
    text = config["text_config"]
    contents = {
        _CONFIG: config,
        "generation_config.json": {name: text[name] for name in GENERATION_TOKENS},
        "processor_config.json": processor,
        "tokenizer.json": vocabulary.content,
        "tokenizer_config.json": native_tokenizer(vocabulary, text["max_position_embeddings"]),
    }
    for name, content in contents.items():
        (target / name).write_text(json.dumps(content, indent=2, ensure_ascii=False), encoding="utf-8")


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise ModelError(
            f"{file.parent}: {file.name} is missing; copy it from the model from which this one was fine-tuned"
        ) from exc
    except (OSError, ValueError) as exc:
        raise ModelError(f"{file}: cannot be read ({exc}); download the model again") from exc
    if not isinstance(content, dict):
        raise ModelError(f"{file}: holds no settings by their names; download the model again")
    return content


def write_published(florence2: Florence2, target: Path, dtype: SavedType) -> None:
    """Write a model as Microsoft's code loads it; that code itself is not written.

    Args:
        florence2: the model with merged adapters; it has the type ``dtype`` afterwards.
        target: an empty folder.
        dtype: type of the weights in the file.

    Raises:
        ModelError: the model has something that Microsoft's code has not.
        OSError: the folder cannot be written.
    """
    import torch

    model: Any = florence2.model.to(getattr(torch, dtype))
    config = published_config(model.config.to_dict(), dtype)
    weights = published_weights(model.state_dict(), tied=is_tied(config))
    tokens: dict[str, Any] = json.loads(florence2.tokenizer.backend_tokenizer.to_str())
    images: Any = florence2.processor.image_processor
    files = published_tokenizer(tokens, config["text_config"]["max_position_embeddings"]) | {
        _CONFIG: json.dumps(config, indent=1),
        _IMAGES: json.dumps(published_image_processor(images.to_dict()), indent=1),
        "generation_config.json": json.dumps({name: config["text_config"][name] for name in GENERATION_TOKENS}),
    }
    for name, text in files.items():
        (target / name).write_text(text + "\n", encoding="utf-8")
    _write_weights(target, weights)


def _write_weights(folder: Path, weights: Mapping[str, Tensor]) -> None:
    from safetensors.torch import save_file

    with writing_weights(folder):
        tensors = {name: tensor.contiguous() for name, tensor in weights.items()}
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
