"""``kubernetes_gpu``: ZenML's Kubernetes orchestrator, which ignores ``ResourceSettings``, made to honour them.

ZenML 0.98 (``zenml/integrations/kubernetes/orchestrators/kubernetes_orchestrator.py``) warns "Specifying step resources
is not yet supported" and drops ``cpu_count``, ``gpu_count`` and ``memory``; a GPU can be requested only by
``pod_settings`` that repeat all of it in Kubernetes' format. The pod that starts the steps
(``kubernetes_orchestrator_entrypoint.py``) takes a step's pod from ``orchestrator.get_settings(step)``. So this class
adds the resources there: as requests and limits, but ``pod_settings`` of the step override them.

Nothing of ZenML is replaced or patched; the class overrides what it corrects, and could be merged upstream.
"""

from __future__ import annotations

from typing import Any, cast

from zenml.config.resource_settings import ResourceSettings
from zenml.config.step_configurations import Step
from zenml.config.step_run_info import StepRunInfo
from zenml.integrations.kubernetes.orchestrators import KubernetesOrchestrator
from zenml.integrations.kubernetes.pod_settings import KubernetesPodSettings

from pipelines.orchestrators.kubernetes_gpu_flavor import KubernetesGpuConfig, KubernetesGpuSettings
from pipelines.orchestrators.quantities import cpu_quantity, memory_quantity

__all__ = ["KubernetesGpuOrchestrator"]


class KubernetesGpuOrchestrator(KubernetesOrchestrator):
    """Kubernetes orchestrator that honours the resources of a step."""

    @property
    def config(self) -> KubernetesGpuConfig:
        """The configuration."""
        return cast(KubernetesGpuConfig, self._config)

    @property
    def settings_class(self) -> type[KubernetesGpuSettings]:
        """The class of the settings that a run or a step may give."""
        return KubernetesGpuSettings

    def get_settings(self, container: Any) -> KubernetesGpuSettings:
        """Return the settings of a step with its resources among the pod's; of anything else as they are.

        Args:
            container: a step, a run of one, or a pipeline.
        """
        settings = cast(KubernetesGpuSettings, super().get_settings(container))
        if not isinstance(container, Step | StepRunInfo):
            return settings
        requested = _requirements(container.config.resource_settings, settings.gpu_resource)
        pod = settings.pod_settings or KubernetesPodSettings()
        resources = {kind: {**requested[kind], **pod.resources.get(kind, {})} for kind in requested}
        return settings.model_copy(
            update={"pod_settings": pod.model_copy(update={"resources": {**pod.resources, **resources}})}
        )

    @staticmethod
    def requires_resources_in_orchestration_environment(step: Step) -> bool:  # noqa: ARG004
        """Return False: the resources are honoured, so that the base class need not warn."""
        return False


def _requirements(resources: ResourceSettings, gpu_resource: str) -> dict[str, dict[str, str]]:
    """Return requests and limits of a container; for a GPU the limit alone, to which Kubernetes sets the request."""
    requested = {}
    if resources.cpu_count:
        requested["cpu"] = cpu_quantity(resources.cpu_count)
    if resources.memory:
        requested["memory"] = memory_quantity(resources.memory)
    limits = dict(requested)
    if resources.gpu_count:
        limits[gpu_resource] = str(resources.gpu_count)
    return {kind: value for kind, value in (("requests", requested), ("limits", limits)) if value}
