"""Submission of a run, also to an orchestrator on another machine: what it supports, its errors, how to follow it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from zenml.client import Client
from zenml.enums import ExecutionMode
from zenml.models import PipelineRunResponse
from zenml.pipelines.pipeline_definition import Pipeline

from florence2.config import Configuration
from florence2.datasets import is_local
from florence2.errors import ConfigurationError, Florence2Error, StackError
from florence2.storage import redact
from steps.artifact_store import remote_folder

__all__ = ["fit_to_orchestrator", "refuse_local_files", "remote_errors", "where_it_runs"]

_REMOTE = ("aiobotocore", "botocore", "gcsfs", "google", "kfp_server_api", "kubernetes", "requests", "urllib3", "zenml")
"""Packages whose exceptions come from another machine, or from the connection to one."""


def fit_to_orchestrator(pipeline: Pipeline) -> None:
    """Set how a pipeline ends when a step fails, by what its orchestrator supports.

    Kubeflow and Vertex AI support ``continue_on_failure`` only and refuse others. In these pipelines nearly every step
    needs the one before, so that the result is the same: no step runs without its inputs.

    Raises:
        StackError: the steps of the pipeline follow from results, and the orchestrator must know all steps before.
    """
    orchestrator = Client().active_stack.orchestrator
    if pipeline.is_dynamic and not orchestrator.supports_dynamic_pipelines:
        raise StackError(
            f"the orchestrator {orchestrator.name!r} ({orchestrator.flavor}) must know all steps of a run before it "
            f"starts, and those of {pipeline.name} follow from the results of others; use a local, Kubernetes or "
            "Vertex AI stack, or `florence2 tune` on one machine"
        )
    supported = orchestrator.supported_execution_modes
    if pipeline.configuration.execution_mode not in supported:
        pipeline.configure(execution_mode=ExecutionMode.CONTINUE_ON_FAILURE)


def refuse_local_files(config: Configuration) -> None:
    """Raise for settings of a dynamic pipeline that name files of this machine, where its function runs on another one.

    The functions of other pipelines run here, and pack such files.

    Raises:
        ConfigurationError: a setting names a file or folder of this machine, and the artifact store is remote.
    """
    if remote_folder() is None:
        return
    named = {
        "dataset.source": config.dataset.source,
        "dataset.reference": config.dataset.reference,
        "split.frozen_test": config.split.frozen_test,
        "model.base": config.model.base,
        "training.recipe": config.training.recipe,
    }
    for name, value in named.items():
        if value is not None and is_local(value) and Path(value).exists():
            raise ConfigurationError(
                f"{name}: {value} is on this machine, and a search on this stack starts on another one; give an "
                "address that the cluster can read, or run `florence2 tune` here"
            )


@contextlib.contextmanager
def remote_errors() -> Iterator[None]:
    """Raise errors of other machines with a message, instead of a traceback of their libraries.

    Raises:
        StackError: the artifact store, the cluster or the ZenML server could not be reached, or refused a run.
    """
    try:
        yield
    except Florence2Error:
        raise
    except Exception as exc:
        orchestrator = Client().active_stack.orchestrator
        # ZenML raises a bare RuntimeError where a cluster refuses a run, or where a run has failed there.
        is_remote = isinstance(exc, OSError | RuntimeError) or type(exc).__module__.split(".")[0] in _REMOTE
        if not orchestrator.config.is_remote or not is_remote:
            raise
        reason = redact(" ".join(str(exc).split()))[:500]
        raise StackError(
            f"the run was not accepted, or failed there: {type(exc).__name__}: {reason}\n"
            f"The stack is {Client().active_stack_model.name!r} with the orchestrator {orchestrator.name!r}"
            f" ({orchestrator.flavor}); `florence2 stack apply FILE` lists what is missing (docs/remote.md)"
        ) from exc


def where_it_runs(run: PipelineRunResponse | None) -> str:
    """Return how to follow a run on another machine.

    Args:
        run: as it was submitted; None for a schedule.
    """
    if run is None:
        return "the schedule is set; each of its runs appears in `zenml pipeline runs list`"
    return f"run {run.name} was submitted; `zenml pipeline runs list` shows its state"
