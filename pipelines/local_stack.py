"""The local ZenML stack that the pipelines need: MLflow tracker and registry beside ZenML's own defaults.

``python -m pipelines.local_stack`` creates what is missing, changes nothing that is there, and makes the stack the
active one of this folder (not of the user's other projects).
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from zenml.client import Client
from zenml.config.global_config import GlobalConfiguration
from zenml.enums import StackComponentType

from florence2.adapters.mlflow.local_store import TRACKING_URI_FILE

__all__ = ["STACK", "set_up"]

STACK = "florence2"

_COMPONENTS = (
    (StackComponentType.EXPERIMENT_TRACKER, "florence2_tracker"),
    (StackComponentType.MODEL_REGISTRY, "florence2_registry"),
)


def set_up(root: Path) -> str:
    """Create the stack where it is missing and activate it for a folder.

    Args:
        root: the folder from which pipelines are started.

    Returns:
        The name of the stack.
    """
    GlobalConfiguration().analytics_opt_in = False
    if not (root / ".zen").is_dir():
        Client.initialize(root)
    client = Client(root=root)
    components: dict[StackComponentType, str | UUID] = {
        StackComponentType.ORCHESTRATOR: "default",
        StackComponentType.ARTIFACT_STORE: "default",
    }
    for kind, name in _COMPONENTS:
        components[kind] = _component(client, kind, name)
    try:
        stack = client.get_stack(STACK, allow_name_prefix_match=False)
    except KeyError:
        stack = client.create_stack(STACK, components=components)
    client.activate_stack(stack.id)
    _write_down_store(client, root)
    return STACK


def _write_down_store(client: Client, root: Path) -> None:
    """Write down where MLflow keeps its models, for commands that know no ZenML."""
    tracker = client.active_stack.experiment_tracker
    assert tracker is not None
    (root / TRACKING_URI_FILE).write_text(f"{tracker.get_tracking_uri()}\n", encoding="utf-8")  # type: ignore[attr-defined]


def _component(client: Client, kind: StackComponentType, name: str) -> UUID:
    try:
        return client.get_stack_component(kind, name, allow_name_prefix_match=False).id
    except KeyError:
        return client.create_stack_component(name=name, flavor="mlflow", component_type=kind, configuration={}).id


if __name__ == "__main__":
    print(f"stack {set_up(Path.cwd())} is active in {Path.cwd()}")  # noqa: T201
