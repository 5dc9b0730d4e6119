"""The setting ``schedule`` of a YAML file: which orchestrators can keep one, and what to do with the others."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zenml.client import Client

from florence2.errors import ConfigurationError

__all__ = ["check_schedule"]

_RETRAINS = "florence_finetune"
_CRON_ONLY = ("kubernetes", "kubernetes_gpu")
"""Orchestrators that keep a schedule as a CronJob."""


def check_schedule(file: Path, pipeline: str, schedule: Mapping[str, Any]) -> None:
    """Check that the active stack can start a pipeline by a schedule, and that the pipeline allows it.

    Args:
        file: with the setting.
        pipeline: its name.
        schedule: the setting, as ZenML's ``Schedule``.

    Raises:
        ConfigurationError: it cannot, or the pipeline reads at its start what a schedule would freeze.
    """
    if pipeline != _RETRAINS:
        raise ConfigurationError(
            f"{file}: schedule: {pipeline} reads which version is challenger when it is started, and"
            " a schedule would read it only once; let cron or a CI schedule call `make retrain` (docs/retraining.md)"
        )
    orchestrator = Client().active_stack.orchestrator
    if not orchestrator.config.is_schedulable:
        when = schedule.get("cron_expression") or "0 3 * * *"
        raise ConfigurationError(
            f"{file}: schedule: the orchestrator {orchestrator.name!r} ({orchestrator.flavor}) cannot start runs by a"
            f" schedule; remove the key and put this line into `crontab -e`:\n  {when} cd {Path.cwd()} && make retrain"
        )
    if orchestrator.flavor in _CRON_ONLY and not schedule.get("cron_expression"):
        raise ConfigurationError(
            f"{file}: schedule: the orchestrator {orchestrator.name!r} ({orchestrator.flavor}) accepts a"
            ' cron_expression only, for example cron_expression: "0 3 * * *" for every night at three'
        )
