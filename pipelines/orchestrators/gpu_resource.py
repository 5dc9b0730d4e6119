"""The setting that both orchestrators here add to those of ZenML's."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["GpuResource"]


class GpuResource(BaseModel):
    """What a cluster calls its GPUs."""

    gpu_resource: str = Field(
        "nvidia.com/gpu", description="What the cluster calls a GPU. Example: 'amd.com/gpu', 'nvidia.com/mig-1g.10gb'"
    )
