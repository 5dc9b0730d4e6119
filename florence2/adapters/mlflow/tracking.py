"""What a running step tells MLflow. Without an active run nothing is logged: training works without a tracker."""

from __future__ import annotations

from collections.abc import Mapping

from florence2.config import Section

__all__ = ["log_metrics", "log_settings"]


def log_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Log figures to the active run.

    Args:
        metrics: by name.
        step: the optimizer step at which they were measured, if they belong to one.
    """
    import mlflow

    if mlflow.active_run() is not None:
        mlflow.log_metrics(dict(metrics), step=step)


def log_settings(**sections: Section) -> None:
    """Log sections of the configuration to the active run as parameters ``section.key``."""
    import mlflow

    if mlflow.active_run() is not None:
        for name, section in sections.items():
            mlflow.log_params({f"{name}.{key}": value for key, value in section.model_dump().items()})
