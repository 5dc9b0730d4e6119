"""The flavour ``kubeflow_gpu`` as ZenML registers it; the orchestrator is in ``kubeflow_gpu.py``. Needs no kfp."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field, model_validator
from zenml.integrations.kubeflow.flavors import KubeflowOrchestratorFlavor
from zenml.integrations.kubeflow.flavors.kubeflow_orchestrator_flavor import (
    KubeflowOrchestratorConfig,
    KubeflowOrchestratorSettings,
)
from zenml.utils.pydantic_utils import before_validator_handler

from pipelines.orchestrators.gpu_resource import GpuResource

if TYPE_CHECKING:
    from pipelines.orchestrators.kubeflow_gpu import KubeflowGpuOrchestrator

__all__ = ["KubeflowGpuConfig", "KubeflowGpuOrchestratorFlavor", "KubeflowGpuSettings"]


class KubeflowGpuSettings(KubeflowOrchestratorSettings, GpuResource):
    """Settings that a run or a step may give."""

    @model_validator(mode="before")
    @classmethod
    @before_validator_handler
    def _validate_and_migrate_pod_settings(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Replace ZenML's validator, which overwrites ``pod_settings``; its other check stays."""
        if bool(data.get("client_username")) != bool(data.get("client_password")):
            raise ValueError("`client_username` and `client_password` both need to be set together.")
        return data


class KubeflowGpuConfig(KubeflowOrchestratorConfig, KubeflowGpuSettings):
    """Configuration of the orchestrator."""

    zenml_api_key_secret: str | None = Field(
        None,
        description="Name of a Kubernetes secret with the key ZENML_STORE_API_KEY, the API key of a ZenML service "
        "account. With it the compiled pipeline holds no token.",
    )

    @property
    def handles_step_retries(self) -> bool:
        """Kubeflow starts a failed step again."""
        return True


class KubeflowGpuOrchestratorFlavor(KubeflowOrchestratorFlavor):
    """Kubeflow, with the GPUs, memory and retries of each step."""

    @property
    def name(self) -> str:
        """Name of the flavour."""
        return "kubeflow_gpu"

    @property
    def docs_url(self) -> str | None:
        """Where ZenML describes the orchestrator that this one is made from."""
        return KubeflowOrchestratorFlavor().docs_url

    @property
    def config_class(self) -> type[KubeflowGpuConfig]:
        """Its configuration."""
        return KubeflowGpuConfig

    @property
    def implementation_class(self) -> type[KubeflowGpuOrchestrator]:
        """The orchestrator; needs kfp and kfp-kubernetes."""
        from pipelines.orchestrators.kubeflow_gpu import KubeflowGpuOrchestrator

        return KubeflowGpuOrchestrator
