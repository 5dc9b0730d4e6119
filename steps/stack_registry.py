"""Where the active stack keeps its models."""

from __future__ import annotations

from zenml.client import Client

from florence2.errors import RegistryError

__all__ = ["tracking_uri"]


def tracking_uri() -> str:
    """Return the MLflow store of the active stack, and configure this process to use it.

    Raises:
        RegistryError: the stack has no MLflow experiment tracker.
    """
    import mlflow

    tracker = Client().active_stack.experiment_tracker
    if tracker is None or not hasattr(tracker, "configure_mlflow"):
        raise RegistryError(
            f"the stack {Client().active_stack_model.name!r} has no MLflow experiment tracker and so no models; "
            "run `make stack` to set up the local stack, or activate another"
        )
    tracker.configure_mlflow()
    return mlflow.get_tracking_uri()
