"""The flavour ``kubernetes_gpu`` as ZenML registers it; the orchestrator is in ``kubernetes_gpu.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zenml.integrations.kubernetes.flavors import KubernetesOrchestratorFlavor
from zenml.integrations.kubernetes.flavors.kubernetes_orchestrator_flavor import (
    KubernetesOrchestratorConfig,
    KubernetesOrchestratorSettings,
)

from pipelines.orchestrators.gpu_resource import GpuResource

if TYPE_CHECKING:
    from pipelines.orchestrators.kubernetes_gpu import KubernetesGpuOrchestrator

__all__ = ["KubernetesGpuConfig", "KubernetesGpuOrchestratorFlavor", "KubernetesGpuSettings"]


class KubernetesGpuSettings(KubernetesOrchestratorSettings, GpuResource):
    """Settings that a run or a step may give."""


class KubernetesGpuConfig(KubernetesOrchestratorConfig, KubernetesGpuSettings):
    """Configuration of the orchestrator."""


class KubernetesGpuOrchestratorFlavor(KubernetesOrchestratorFlavor):
    """Kubernetes, with the GPUs, CPUs and memory of each step."""

    @property
    def name(self) -> str:
        """Name of the flavour."""
        return "kubernetes_gpu"

    @property
    def docs_url(self) -> str | None:
        """Where ZenML describes the orchestrator that this one is made from."""
        return KubernetesOrchestratorFlavor().docs_url

    @property
    def config_class(self) -> type[KubernetesGpuConfig]:
        """Its configuration."""
        return KubernetesGpuConfig

    @property
    def implementation_class(self) -> type[KubernetesGpuOrchestrator]:
        """The orchestrator; needs kubernetes."""
        from pipelines.orchestrators.kubernetes_gpu import KubernetesGpuOrchestrator

        return KubernetesGpuOrchestrator
