"""A pipeline as ``zenml pipeline run NAME`` runs it: errors as messages, and a summary at the end.

ZenML's command prints a traceback for every error. A pipeline that ``for_command_line`` returns ends with the message
of the error and its exit status instead, checks its section of the YAML file before anything runs, writes
``outputs/<name of the file>/summary.json``, and ends with the exit status that its result has.
"""

from __future__ import annotations

import contextlib
import copy
import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from zenml.config.pipeline_run_configuration import PipelineRunConfiguration
from zenml.exceptions import RunInterruptedException, StackValidationError
from zenml.pipelines.dynamic.pipeline_definition import DynamicPipeline
from zenml.pipelines.pipeline_definition import Pipeline

from florence2.config import PARAMETERS, BaseConfiguration, check_keys, check_sections, parameters_of, read_mapping
from florence2.errors import ConfigurationError, Florence2Error
from florence2.storage import writing
from florence2.training import stops_trainings_of_threads
from pipelines.schedule import check_schedule
from pipelines.submission import fit_to_orchestrator, refuse_local_files, remote_errors, where_it_runs

__all__ = ["CommandLinePipeline", "for_command_line"]


_NOISY_LOGGERS = {
    "alembic": logging.WARNING,
    "great_expectations": logging.WARNING,
    "mlflow": logging.WARNING,
    "zenml.integrations.mlflow": logging.ERROR,
}
"""Libraries that log details on every run, and the level from which their records are shown."""

_ADVERTS = (
    "You can visualize your pipeline runs in the `ZenML Dashboard`.",
    "Models can be viewed in the dashboard using ZenML Pro.",
    "Uploading external artifact",
    "Finished uploading external artifact",
    "Waiting for upstream dependencies",
)
"""Starts of what ZenML recommends on every run, or reports of each setting of a step of a dynamic pipeline.

Where there is a dashboard it logs an address instead of the first."""


class CommandLinePipeline(Pipeline):
    """A pipeline as the command line runs it.

    Attributes:
        output_name: folder under ``outputs`` for the summary: the YAML file's name, else the pipeline's.
        tree: what the parameters of the YAML file are.
        summarise: writes and prints the result of a run, given its id and a folder, and returns the exit status.
    """

    output_name: str
    tree: type[BaseConfiguration]
    summarise: Callable[[UUID, Path], int]

    def with_options(self, *args: Any, **kwargs: Any) -> CommandLinePipeline:
        """Check the parameters of the YAML file, then pass it to ZenML."""
        config_path = kwargs.get("config_path")
        with _plain_errors():
            if config_path is not None:
                content = _check_file(Path(config_path), self.tree)
                if self.is_dynamic:
                    refuse_local_files(self.tree(**content.get(PARAMETERS, {})))  # type: ignore[arg-type]
                scheduled = content.get("schedule")
                if scheduled:
                    check_schedule(Path(config_path), self.name, scheduled)
                    # The content of the data set is hashed when a schedule is made; each of its runs reads it anew.
                    kwargs["step_configurations"] = {"ingest_dataset": {"enable_cache": False}}
            prepared = super().with_options(*args, **kwargs)
        assert isinstance(prepared, CommandLinePipeline)
        if config_path is not None:
            prepared.output_name = Path(config_path).stem
        return prepared

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the pipeline, then print and write the summary; ends the process where its status is not 0."""
        output = Path("outputs") / self.output_name
        with _plain_errors():
            _clear(output)
            fit_to_orchestrator(self)
            with remote_errors(), stops_trainings_of_threads():
                run = super().__call__(*args, **kwargs)
            if run is None or not run.status.is_finished:
                sys.stdout.write(f"{where_it_runs(run)}\n")
                return run
            status = self.summarise(run.id, output)
        if status:
            raise SystemExit(status)
        return run


class _DynamicCommandLinePipeline(CommandLinePipeline, DynamicPipeline):
    """The same for a pipeline whose steps follow from results."""


def for_command_line(
    pipeline: Pipeline, tree: type[BaseConfiguration], summarise: Callable[[UUID, Path], int]
) -> CommandLinePipeline:
    """Return a copy of a pipeline that behaves as described above.

    Args:
        pipeline: as it is defined.
        tree: what the parameters of its YAML file are.
        summarise: see ``CommandLinePipeline``.
    """
    prepared = copy.copy(pipeline)
    prepared.__class__ = _DynamicCommandLinePipeline if pipeline.is_dynamic else CommandLinePipeline
    assert isinstance(prepared, CommandLinePipeline)
    prepared.output_name = pipeline.name
    prepared.tree, prepared.summarise = tree, summarise
    return prepared


def _clear(output: Path) -> None:
    """Make the folder of a run; a run that fails must not leave the summary of an earlier one."""
    with writing(output, "remove or rename what has this name"):
        output.mkdir(parents=True, exist_ok=True)
        (output / "summary.json").unlink(missing_ok=True)


def _check_file(file: Path, tree: type[BaseConfiguration]) -> dict[str, Any]:
    """Read a YAML file of run settings and check it, all our parameters in it, before ZenML looks at the first.

    Raises:
        ConfigurationError: it cannot be read, or keys are unknown, or values invalid.
    """
    content = read_mapping(file)
    check_keys(file, content, list(PipelineRunConfiguration.model_fields))
    parameters = parameters_of(file, content)
    try:
        PipelineRunConfiguration.model_validate(content)
    except ValueError as exc:
        raise ConfigurationError(f"{file}: ZenML does not accept these settings: {exc}") from exc
    check_sections(file, parameters, tree, f"{PARAMETERS}.")
    return content


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    """End the process with a message and an exit status instead of the traceback of a user's error."""
    for name, level in _NOISY_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    loggers = [logging.getLogger(), logging.getLogger("zenml")]
    handlers = [handler for logger in loggers for handler in logger.handlers]
    for handler in handlers:
        handler.addFilter(_worth_showing)
    try:
        yield
    except Florence2Error as exc:
        _exit(str(exc), exc.exit_status)
    except (KeyboardInterrupt, RunInterruptedException):
        _exit("interrupted; the results of finished steps are kept, and the same command continues from there", 130)
    except StackValidationError as exc:
        _exit(f"{exc}\nThis pipeline tracks and registers with MLflow: run `make stack` to set up the local stack.", 1)
    finally:
        for handler in handlers:
            handler.removeFilter(_worth_showing)


def _worth_showing(record: logging.LogRecord) -> bool:
    """Return whether a record is shown, from now on without the traceback of a user's error."""
    if record.exc_info and isinstance(record.exc_info[1], Florence2Error):
        record.exc_info = None
    return not record.getMessage().startswith(_ADVERTS)


def _exit(message: str, status: int) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"\nerror: {message}\n")
    raise SystemExit(status)
