"""The setting that both orchestrators here add to ZenML's."""

from __future__ import annotations

from pydantic import BaseModel, Field

__all__ = ["GpuResource"]


class GpuResource(BaseModel):
    """The name of a GPU in a cluster."""

    gpu_resource: str = Field(
        "nvidia.com/gpu", description="Name of a GPU in the cluster. Example: 'amd.com/gpu', 'nvidia.com/mig-1g.10gb'"
    )
