"""The state of an unfinished pretraining on disk: safetensors and JSON, replaced in one move."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import AdamW

from florence2.storage.atomic import atomic_path

__all__ = ["load_state", "read_facts", "save_state"]

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


def save_state(path: Path, modules: Mapping[str, nn.Module], optimizer: AdamW, facts: Mapping[str, Any]) -> None:
    """Write weights, optimiser moments and facts (JSON) to one file.

    A run that is killed while writing leaves the previous file whole.
    """
    tensors: dict[str, Tensor] = {}
    for prefix, module in modules.items():
        for name, parameter in module.named_parameters():
            tensors[f"{prefix}.{name}"] = parameter.detach().contiguous()
            for moment in _MOMENTS:
                if parameter in optimizer.state:
                    tensors[f"{prefix}.{name}:{moment}"] = optimizer.state[parameter][moment].contiguous()
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path, sole_writer=True) as partial:
        save_file(tensors, partial, metadata={"facts": json.dumps(dict(facts))})


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts that ``save_state`` wrote."""
    with safe_open(path, framework="pt") as stored:
        facts: dict[str, Any] = json.loads(stored.metadata()["facts"])
    return facts


def load_state(path: Path, modules: Mapping[str, nn.Module], optimizer: AdamW) -> None:
    """Read the weights and moments that ``save_state`` wrote into the same modules and optimiser."""
    with safe_open(path, framework="pt") as stored:
        keys = set(stored.keys())
        for prefix, module in modules.items():
            for name, parameter in module.named_parameters():
                key = f"{prefix}.{name}"
                parameter.data.copy_(stored.get_tensor(key))
                if f"{key}:exp_avg" in keys:
                    optimizer.state[parameter] = {
                        moment: stored.get_tensor(f"{key}:{moment}").to(parameter.device) for moment in _MOMENTS
                    }
