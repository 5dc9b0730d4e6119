"""The local ZenML stack that the pipelines need: MLflow tracker and registry, and ZenML's own defaults.

``python -m pipelines.local_stack`` creates what is missing, changes nothing that exists, and makes the stack the
active one of this folder (not of the user's other projects). It does what ``florence2 stack apply
configs/stacks/local.yaml`` does, without the file, which is not part of an installed package.
"""

from __future__ import annotations

from pathlib import Path

from pipelines.stacks.stack_file import ComponentFile, ComponentsFile, StackFile

__all__ = ["LOCAL_STACK", "STACK", "set_up"]

STACK = "florence2"

LOCAL_STACK = StackFile(
    name=STACK,
    components=ComponentsFile(
        orchestrator=ComponentFile(name="default", flavor="local"),
        artifact_store=ComponentFile(name="default", flavor="local"),
        experiment_tracker=ComponentFile(name="florence2_tracker", flavor="mlflow"),
        model_registry=ComponentFile(name="florence2_registry", flavor="mlflow"),
    ),
)


def set_up(root: Path) -> str:
    """Create the stack if it is missing, and activate it for a folder.

    Args:
        root: the folder from which pipelines are started.

    Returns:
        The name of the stack.
    """
    from zenml.config.global_config import GlobalConfiguration

    from pipelines.stacks.apply import activate, apply_plan, plan_stack
    from pipelines.stacks.store import open_store

    GlobalConfiguration().analytics_opt_in = False
    client = open_store()
    apply_plan(client, plan_stack(client, LOCAL_STACK))
    activate(client, STACK, root)
    return STACK


if __name__ == "__main__":
    print(f"stack {set_up(Path.cwd())} is active in {Path.cwd()}")  # noqa: T201
