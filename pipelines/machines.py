"""What a step requests of its machine, on stacks whose steps have machines of their own.

On a local stack steps have no options. A YAML file can change these under ``steps.NAME.settings``.
"""

from __future__ import annotations

from typing import Any

from zenml.config import ResourceSettings
from zenml.config.retry_config import StepRetryConfig

from florence2.recipes import gpu_gib
from pipelines.images import cpu_image, gpu_image
from steps.artifact_store import remote_folder

__all__ = ["gpu_memory_gib", "on_cpu", "on_gpu"]

_CPU = ResourceSettings(cpu_count=2, memory="8GB")
_GPU = ResourceSettings(cpu_count=8, memory="32GB", gpu_count=1)

_RETRIES = StepRetryConfig(max_retries=2)
"""For machines that are removed: a training continues from its last upload."""


_LEAST_GPU_GIB = 16.0
"""What a GPU of a cluster is expected to have; its true memory is not known before a step runs on it."""


def gpu_memory_gib() -> float | None:
    """Return the memory of the GPU that trains in GiB; None where there is none."""
    return gpu_gib() if remote_folder() is None else _LEAST_GPU_GIB


def on_cpu() -> dict[str, Any]:
    """Return the options of a step that handles data or talks to a registry."""
    return {} if remote_folder() is None else {"settings": {"docker": cpu_image(), "resources": _CPU}}


def on_gpu() -> dict[str, Any]:
    """Return the options of a step that trains or generates."""
    if remote_folder() is None:
        return {}
    return {"settings": {"docker": gpu_image(), "resources": _GPU}, "retry": _RETRIES}
