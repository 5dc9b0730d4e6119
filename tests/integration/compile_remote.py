"""Compiles a pipeline on a stack with a remote artifact store, which gets no request, and prints each step.

python compile_remote.py FILE.yaml
"""

from __future__ import annotations

import json
import sys
from uuid import UUID

from zenml.client import Client
from zenml.enums import StackComponentType

from pipelines.finetune import florence_finetune


def main(file: str) -> None:
    client = Client()
    store = client.create_stack_component("s3", "s3", StackComponentType.ARTIFACT_STORE, {"path": "s3://zen/a"})
    orchestrator = client.active_stack_model.components[StackComponentType.ORCHESTRATOR][0].id
    tracker = client.create_stack_component("mlflow", "mlflow", StackComponentType.EXPERIMENT_TRACKER, {})
    components: dict[StackComponentType, str | UUID] = {
        StackComponentType.ORCHESTRATOR: orchestrator,
        StackComponentType.ARTIFACT_STORE: store.id,
        StackComponentType.EXPERIMENT_TRACKER: tracker.id,
    }
    client.activate_stack(client.create_stack("compiled", components).id)
    pipeline = florence_finetune.with_options(config_path=file)
    pipeline.prepare()
    snapshot, _, _ = pipeline._compile(config_path=file)
    steps = {
        name: {
            "resources": step.config.resource_settings.model_dump(mode="json"),
            "docker": step.config.docker_settings.model_dump(mode="json"),
            "retries": step.config.retry.max_retries if step.config.retry else 0,
        }
        for name, step in snapshot.step_configurations.items()
    }
    print(json.dumps(steps))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1])
