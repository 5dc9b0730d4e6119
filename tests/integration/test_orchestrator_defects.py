"""What ZenML does to the resources of a step. If one of these fails, ZenML has corrected it: see what of our flavours
(pipelines/orchestrators) may go."""

from __future__ import annotations

from typing import Any

import pytest


def _task() -> Any:
    from kfp import dsl

    # kfp reads annotations, and does not understand them where they are texts.
    @dsl.container_component
    def step():  # type: ignore[no-untyped-def]
        return dsl.ContainerSpec(image="image", command=["python"])

    made = []

    @dsl.pipeline
    def pipeline():  # type: ignore[no-untyped-def]
        made.append(step())

    return made[0]


def _configured(**requested: Any) -> Any:
    from zenml.config.resource_settings import ResourceSettings
    from zenml.integrations.kubeflow.orchestrators import KubeflowOrchestrator

    configure: Any = KubeflowOrchestrator._configure_container_resources
    return configure(None, _task(), ResourceSettings(**requested)).container_spec.resources


def test_zenmls_kubeflow_orchestrator_drops_the_gpu() -> None:
    resources = _configured(cpu_count=8, gpu_count=1)
    assert resources.cpu_limit == "8.0"
    assert resources.accelerator_count is None


def test_zenmls_kubeflow_orchestrator_fails_with_memory_in_gigabytes() -> None:
    with pytest.raises(TypeError, match="float"):
        _configured(cpu_count=8, memory="32GB")


def test_zenmls_kubeflow_settings_lose_where_a_step_may_run() -> None:
    from zenml.integrations.kubeflow.flavors.kubeflow_orchestrator_flavor import KubeflowOrchestratorSettings

    settings = KubeflowOrchestratorSettings.model_validate({"pod_settings": {"node_selectors": {"pool": "gpu"}}})
    assert settings.pod_settings is not None
    assert settings.pod_settings.node_selectors == {}
