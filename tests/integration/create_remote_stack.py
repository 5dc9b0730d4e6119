"""Run by the machine that submits: creates the stack of ``remote_stack.py`` on the ZenML server and prints its id."""

from __future__ import annotations

import json
import sys
from typing import Any

from zenml.client import Client
from zenml.enums import StackComponentType


def create(store: str, tracker: str, code: str, machines: str, secrets: dict[str, str]) -> str:
    """Create a stack whose secrets are in ZenML's secret store.

    Args:
        store: URL of the S3 server.
        tracker: URL of the MLflow server.
        code: folder with the project's code for steps.
        machines: folder in which steps find theirs.
        secrets: what to log in with.

    Returns:
        The id of the stack.
    """
    client = Client()
    client.create_secret("remote", secrets)
    client.create_flavor("isolated_orchestrator.IsolatedOrchestratorFlavor", StackComponentType.ORCHESTRATOR)
    components: dict[StackComponentType, tuple[str, dict[str, Any]]] = {
        StackComponentType.ORCHESTRATOR: ("isolated", {"code": code, "machines": machines}),
        StackComponentType.ARTIFACT_STORE: (
            "s3",
            {
                "path": "s3://zen/artifacts",
                "key": "{{remote.key}}",
                "secret": "{{remote.secret}}",
                "client_kwargs": {"endpoint_url": store, "region_name": "us-east-1"},
            },
        ),
        StackComponentType.EXPERIMENT_TRACKER: (
            "mlflow",
            {"tracking_uri": tracker, "tracking_username": "me", "tracking_password": "{{remote.password}}"},
        ),
    }
    made = {
        kind: client.create_stack_component("remote", flavor, kind, settings).id
        for kind, (flavor, settings) in components.items()
    }
    return str(client.create_stack("remote", made).id)


if __name__ == "__main__":
    print(create(*json.loads(sys.argv[1])))  # noqa: T201
