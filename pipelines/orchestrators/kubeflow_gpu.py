"""``kubeflow_gpu``: ZenML's Kubeflow orchestrator, with what it loses on the way to Kubeflow Pipelines put back.

What ZenML 0.98 does (``zenml/integrations/kubeflow/orchestrators/kubeflow_orchestrator.py``), and what this does:

- ``_configure_container_resources`` drops ``ResourceSettings(gpu_count=1)`` unless a node selector called
  ``accelerator`` is set, takes the value of that selector for the name of the resource, and gives the selector of one
  step to all steps. The validator of ``KubeflowOrchestratorSettings`` overwrites ``pod_settings``, so that the
  selector cannot even be set that way. Here ``gpu_count`` becomes ``accelerator: {type: nvidia.com/gpu, count: 1}`` of
  this step alone; node selectors, tolerations and image pull secrets of ``pod_settings`` are passed on.
- It hands ``memory="16GB"`` to kfp as the number 16.0; kfp accepts ``16G`` or ``16Gi`` and raises. Here it is
converted.
- It sets limits only. Here they are requests as well, so that a step is scheduled where it fits.
- Retries happen inside the process of the step, so that a pod that was killed is not started again. Here they are
  Kubeflow's: ``retryPolicy``.
- It writes the token for the ZenML server in clear into the compiled pipeline, where all who may see the pipeline in
  Kubeflow can read it. Here, where ``zenml_api_key_secret`` names a Kubernetes secret, the pipeline refers to it.

Nothing of ZenML is replaced or patched; the classes override what they correct, and could be merged upstream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from kfp import kubernetes
from zenml.integrations.kubeflow.orchestrators import KubeflowOrchestrator

from pipelines.orchestrators.kubeflow_gpu_flavor import KubeflowGpuConfig, KubeflowGpuSettings
from pipelines.orchestrators.quantities import cpu_quantity, memory_quantity

if TYPE_CHECKING:
    from kfp.dsl import PipelineTask
    from zenml.config.step_configurations import Step
    from zenml.orchestrators import SubmissionResult
    from zenml.stack import Stack

__all__ = ["KubeflowGpuOrchestrator"]

_TOKEN = "ZENML_STORE_API_TOKEN"
_API_KEY = "ZENML_STORE_API_KEY"


class KubeflowGpuOrchestrator(KubeflowOrchestrator):
    """Kubeflow orchestrator that honours resources, pod settings and retries of a step, and hides the token."""

    _steps: dict[str, Step]

    @property
    def config(self) -> KubeflowGpuConfig:
        """The configuration."""
        return cast(KubeflowGpuConfig, self._config)

    @property
    def settings_class(self) -> type[KubeflowGpuSettings]:
        """The class of the settings that a run or a step may give."""
        return KubeflowGpuSettings

    def submit_pipeline(
        self,
        snapshot: Any,
        stack: Stack,
        base_environment: dict[str, str],
        step_environments: dict[str, dict[str, str]],
        placeholder_run: Any = None,
    ) -> SubmissionResult | None:
        """Compile and submit a pipeline; the arguments are those of ZenML's method."""
        # kfp names a task after the function of its component, with hyphens.
        self._steps = {name.replace("_", "-"): step for name, step in snapshot.step_configurations.items()}
        if self.config.zenml_api_key_secret:
            for environment in step_environments.values():
                environment.pop(_TOKEN, None)
        return super().submit_pipeline(snapshot, stack, base_environment, step_environments, placeholder_run)

    def _configure_container_resources(
        self,
        dynamic_component: PipelineTask,
        resource_settings: Any,
        node_selector_constraint: tuple[str, str] | None = None,  # noqa: ARG002
    ) -> PipelineTask:
        """Set the resources of a task as its step requests them; ZenML calls this once for each step.

        Args:
            dynamic_component: the task.
            resource_settings: CPUs, GPUs and memory of the step.
            node_selector_constraint: not used: it is that of the last step that had one.
        """
        task, step = dynamic_component, self._steps[dynamic_component.name]
        settings = cast(KubeflowGpuSettings, self.get_settings(step))
        if resource_settings.cpu_count:
            cpus = cpu_quantity(resource_settings.cpu_count)
            task.set_cpu_request(cpus).set_cpu_limit(cpus)
        if resource_settings.memory:
            memory = memory_quantity(resource_settings.memory)
            task.set_memory_request(memory).set_memory_limit(memory)
        if resource_settings.gpu_count:
            task.set_accelerator_type(settings.gpu_resource).set_accelerator_limit(resource_settings.gpu_count)
        if settings.pod_settings:
            _schedule_on(task, settings.pod_settings)
        if retry := step.config.retry:
            task.set_retry(retry.max_retries, f"{retry.delay}s", float(retry.backoff))
        if self.config.zenml_api_key_secret:
            kubernetes.use_secret_as_env(task, self.config.zenml_api_key_secret, {_API_KEY: _API_KEY})
        return task


def _schedule_on(task: PipelineTask, pod_settings: Any) -> None:
    """Set on which nodes a task may run, and with which credentials its image is fetched."""
    for key, value in pod_settings.node_selectors.items():
        kubernetes.add_node_selector(task, key, value)
    for toleration in pod_settings.tolerations:
        kubernetes.add_toleration(
            task,
            key=toleration.get("key"),
            operator=toleration.get("operator", "Equal"),
            value=toleration.get("value"),
            effect=toleration.get("effect"),
            toleration_seconds=toleration.get("tolerationSeconds"),
        )
    if pod_settings.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, pod_settings.image_pull_secrets)
