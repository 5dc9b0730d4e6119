"""Weights of a saved model, read from safetensors or from PyTorch's pickles; no code in a pickle is run."""

from __future__ import annotations

import json
import pickle
import re
import textwrap
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from florence2.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["WEIGHTS", "read_tensors", "read_weights"]

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Files with the weights of a model; a sharded one has ``NAME.index.json`` and its shards instead."""

_AGAIN = "download the model again"


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Read the weights of a saved model; those of safetensors and of PyTorch's newer files are mapped, not copied.

    Args:
        folder: holds ``model.safetensors`` or ``pytorch_model.bin``, or the shards of one.

    Raises:
        ModelError: there are none, shards are missing, or a file is damaged or holds something else than tensors.
    """
    for name in WEIGHTS:
        file, index = folder / name, folder / f"{name}.index.json"
        if file.is_file():
            return dict(read_tensors(file))
        if index.is_file():
            return _sharded(index)
        shards = sorted(part.name for part in folder.glob(f"{file.stem}-*{file.suffix}"))
        if shards:
            raise ModelError(f"{folder}: {shards[0]} is a part of a model, and {index.name} is missing; {_AGAIN}")
    raise ModelError(f"{folder}: has a config.json and no weights: {' or '.join(WEIGHTS)} is missing; {_AGAIN}")


def _sharded(index: Path) -> dict[str, Tensor]:
    try:
        parts: dict[str, str] = dict(json.loads(index.read_text(encoding="utf-8"))["weight_map"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ModelError(f"{index}: cannot be read ({exc}); {_AGAIN}") from exc
    files = sorted(set(parts.values()))
    strange = [name for name in files if Path(str(name)).name != name]
    if strange:
        raise ModelError(f"{index}: {strange[0]!r} is no name of a file in this folder; {_AGAIN}")
    missing = [name for name in files if not (index.parent / name).is_file()]
    if missing:
        raise ModelError(
            f"{index.parent}: {len(missing)} of {len(files)} files with weights are missing: {', '.join(missing[:3])}; "
            f"{_AGAIN}"
        )
    weights = {key: tensor for name in files for key, tensor in read_tensors(index.parent / name)}
    absent = sorted(parts.keys() - weights.keys())
    if absent:
        raise ModelError(f"{index.parent / parts[absent[0]]}: {absent[0]} is missing in it; {_AGAIN}")
    return weights


def read_tensors(file: Path) -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of one file by their names.

    Args:
        file: safetensors, or a pickle of PyTorch.

    Raises:
        ModelError: it is damaged, or holds something else than tensors of floating numbers.
    """
    import torch

    loaded = _load_safetensors(file) if file.suffix == ".safetensors" else _load_pickle(file)
    for key, tensor in loaded.items():
        is_weight = isinstance(key, str) and isinstance(tensor, torch.Tensor) and tensor.is_floating_point()
        if not is_weight or tensor.layout is not torch.strided:
            kind = f"a tensor of {tensor.dtype}" if isinstance(tensor, torch.Tensor) else f"a {type(tensor).__name__}"
            raise ModelError(f"{file}: {key!r} is {kind}, and a model has tensors of floating numbers only")
        yield key, tensor


def _load_safetensors(file: Path) -> dict[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except (OSError, SafetensorError, ValueError) as exc:
        raise ModelError(f"{file}: is damaged or half a download ({exc}); {_AGAIN}") from exc


def _load_pickle(file: Path) -> dict[Any, Any]:
    import torch

    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as exc:
        found = re.search(r"GLOBAL (\S+)", str(exc))
        raise ModelError(
            f"{file}: its pickle holds {f'the code {found[1]}' if found else 'more than tensors'}, and nothing of it "
            "was run; give the model as safetensors"
        ) from exc
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        reason = textwrap.shorten(str(exc) or type(exc).__name__, 150)
        raise ModelError(f"{file}: is damaged or half a download ({reason}); {_AGAIN}") from exc
    if not isinstance(loaded, dict):
        raise ModelError(f"{file}: holds a {type(loaded).__name__}, not weights by their names")
    return loaded
