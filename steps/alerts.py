"""Alerts: posted by the alerter of the active stack if it has one, else logged."""

from __future__ import annotations

import logging

from zenml import get_step_context
from zenml.client import Client
from zenml.execution.pipeline.dynamic.run_context import DynamicPipelineRunContext

__all__ = ["alert", "alert_failure"]

logger = logging.getLogger(__name__)


def alert(message: str) -> None:
    """Post a message; an alerter that fails is logged and stops nothing."""
    alerter = Client().active_stack.alerter
    if alerter is not None:
        try:
            if alerter.post(message):
                return
            problem = "it refused"
        except Exception as exc:  # whatever a chat service raises, the run continues
            problem = str(exc)
        logger.warning("the alerter %s could not post (%s): %s", alerter.name, problem, message)
        return
    logger.warning(message)


def alert_failure(exception: BaseException) -> None:
    """Post that a step failed; a hook for ``on_failure`` of a pipeline.

    Of a dynamic pipeline it is the hook of the run, which knows no step.
    """
    run = DynamicPipelineRunContext.get()
    if run is not None:
        alert(f"{run.pipeline.name}: run {run.run.name} failed: {exception}")
        return
    context = get_step_context()
    alert(f"{context.pipeline.name}: {context.step_run.name} failed in run {context.pipeline_run.name}: {exception}")
