"""What a running step logs to MLflow. Without an active run nothing is logged: training needs no tracker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from florence2.config import BaseConfig

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["log_image", "log_metrics", "log_settings"]


def log_metrics(metrics: Mapping[str, float], step: int | None = None) -> None:
    """Log scores to the active run.

    Args:
        metrics: by name.
        step: the optimizer step at which they were measured, if they belong to one.
    """
    import mlflow

    if mlflow.active_run() is not None:
        mlflow.log_metrics(dict(metrics), step=step)


def log_settings(**sections: BaseConfig) -> None:
    """Log sections of the configuration to the active run as parameters ``section.key``."""
    import mlflow

    if mlflow.active_run() is not None:
        for name, section in sections.items():
            mlflow.log_params(section.leaves(name))


def log_image(image: Image.Image, step: int) -> None:
    """Log an image of the validation to the active run.

    Args:
        image: of any mode.
        step: the optimizer step at which it was made.
    """
    import mlflow

    if mlflow.active_run() is not None:
        mlflow.log_image(image, f"validation/step-{step:06d}.png")
