"""``choose_base``: the model to start from, by the data set, the GPU and what can be reached."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model import HUB_BASE, HUB_LARGE, IN_MICROSOFTS_LAYOUT, hub_commit
from florence2.recipes.recipe import AUTO

__all__ = ["BaseChoice", "choose_base", "gpu_gib"]

_CANDIDATES = ((40.0, HUB_LARGE), (8.0, HUB_BASE))
"""Memory of a GPU in GiB from which a model of the hub is fine-tuned with adapters, the largest first.

Not measured: counted from the weights and the activations of eight samples.
"""


_GPU_DRIVERS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
"""Files of which Linux has one where a driver for NVIDIA's or AMD's GPUs is loaded, or Windows lends its own."""


@dataclass(frozen=True)
class BaseChoice:
    """The base of a training.

    Attributes:
        given: its name in the settings, ``auto`` or that of a model.
        model: names it.
        reason: why it was chosen, in one sentence; empty where the user named it.
    """

    given: str
    model: ModelConfig
    reason: str


def gpu_gib() -> float | None:
    """Return the memory of the first GPU that torch sees in GiB; None where it sees none."""
    if sys.platform == "linux" and not any(Path(path).exists() for path in _GPU_DRIVERS):
        return None  # torch takes seconds to load
    import torch

    return torch.cuda.get_device_properties(0).total_memory / 2**30 if torch.cuda.is_available() else None


def choose_base(
    model: ModelConfig,
    source: str,
    *,
    gpu: Callable[[], float | None] = gpu_gib,
    commit: Callable[[str, str | None], str] = hub_commit,
) -> BaseChoice:
    """Choose the base where the settings leave it open.

    Args:
        model: the settings; a base other than ``auto`` is kept.
        source: of the data set.
        gpu: returns the memory of the GPU that trains in GiB, None where there is none.
        commit: raises a ``ModelError`` for a model that neither the hub nor its local cache has.
    """
    if model.base != AUTO:
        return BaseChoice(model.base, model, "")
    if source.startswith("builtin:"):
        return _chosen("builtin:nano", "it knows the shapes of the built-in data set, and nothing else")
    memory = gpu()
    if memory is None:
        return _chosen("builtin:small", f"there is no GPU here; with one, {HUB_BASE} finds and reads far more")
    for least_gib, base in _CANDIDATES:
        for name in (base, IN_MICROSOFTS_LAYOUT[base]):  # without a network it may be there in one layout only
            if memory >= least_gib and _is_reached(name, commit):
                return _chosen(name, f"the GPU has {memory:.0f} GiB")
    if memory < _CANDIDATES[-1][0]:
        return _chosen("builtin:small", f"the GPU has {memory:.0f} GiB, and {HUB_BASE} needs 8")
    return _chosen(
        "builtin:small",
        f"neither the model hub nor its local cache has {HUB_BASE}; download it, or give its folder as model.base",
    )


def _chosen(base: str, reason: str) -> BaseChoice:
    return BaseChoice(AUTO, ModelConfig(base=base), f"base {base}: {reason}")


def _is_reached(base: str, commit: Callable[[str, str | None], str]) -> bool:
    try:
        commit(base, None)
    except ModelError:
        return False
    return True
