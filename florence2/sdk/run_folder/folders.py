"""The numbered folders of runs, each with the settings that it was started with and the command that repeats it."""

from __future__ import annotations

import contextlib
import platform
import shlex
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from florence2.config import Configuration, leaf_paths, merged
from florence2.errors import ConfigurationError
from florence2.storage import CheckpointFiles, RunFiles, write_file, writing

__all__ = [
    "create_numbered_folder",
    "has_trained",
    "remove_unstarted",
    "resumed_configuration",
    "save_settings",
    "unfinished_run",
]

_LIBRARIES = ("florence2-finetune", "torch", "transformers", "peft")
_CHECKPOINTS = (RunFiles.BEST_CHECKPOINT, RunFiles.LATEST_CHECKPOINT)
_FREE: Any = {"evaluation": True, "registration": True, "training": {"engine", "preview"}}
"""What a run may go on with otherwise."""


def create_numbered_folder(parent: Path) -> Path:
    """Create the next free folder ``1``, ``2``, ... atomically, so that concurrent runs never share one."""
    with writing(parent, "give another output"):
        parent.mkdir(parents=True, exist_ok=True)
        number = 1 + max((int(child.name) for child in parent.iterdir() if child.name.isdecimal()), default=0)
        while True:
            try:
                (parent / str(number)).mkdir()
            except FileExistsError:
                number += 1
            else:
                return parent / str(number)


def unfinished_run(parent: Path) -> Path:
    """Return the last folder of runs that has settings but no report.

    Raises:
        ConfigurationError: there is none.
    """
    runs = [run for run in parent.glob("*") if run.name.isdecimal() and (run / RunFiles.CONFIGURATION).is_file()]
    unfinished = [run for run in runs if not (run / RunFiles.REPORT).is_dir()]
    if not unfinished:
        raise ConfigurationError(f"{parent}: no unfinished run is here; give the folder of the run, or start a new one")
    return max(unfinished, key=lambda run: int(run.name))


def save_settings(configuration: Configuration, run: Path) -> None:
    """Write every setting of a run, with those at their default, and the command that repeats the run.

    Relative paths, such as that of the data set, start at the folder in which the run was started; the command changes
    to that folder first.
    """
    versions = ", ".join([*(f"{name} {version(name)}" for name in _LIBRARIES), f"Python {platform.python_version()}"])
    settings = yaml.safe_dump(
        {"parameters": configuration.model_dump(mode="json")}, sort_keys=False, allow_unicode=True, width=120
    )
    write_file(
        run / RunFiles.CONFIGURATION, f"# Every setting of this run. Made with {versions}.\n{settings}", "free space"
    )
    words = ["florence2", "train", "--config", str(run / RunFiles.CONFIGURATION), "--output", str(run.parent)]
    write_file(run / RunFiles.COMMAND, f"{shlex.join(['cd', str(Path.cwd())])} && {shlex.join(words)}\n", "free space")


def remove_unstarted(run: Path) -> None:
    """Remove the folder of a run if it holds nothing but its settings; it may be gone already."""
    with contextlib.suppress(OSError):
        if {file.name for file in run.iterdir()} <= {RunFiles.CONFIGURATION, RunFiles.COMMAND}:
            shutil.rmtree(run)


def resumed_configuration(run: Path, given: Configuration) -> Configuration:
    """Return the settings of a run, overridden by those that are given now.

    Args:
        run: its folder.
        given: settings on which the result of the training does not depend.

    Raises:
        ConfigurationError: the folder is not that of a run, its settings are damaged, or its training has ended and the
            given settings would change the result.
    """
    try:
        values = yaml.safe_load((run / RunFiles.CONFIGURATION).read_text(encoding="utf-8"))["parameters"]
        before = Configuration(**values)
    except (OSError, ValueError, TypeError, KeyError, yaml.YAMLError, ConfigurationError) as exc:
        raise ConfigurationError(
            f"{run} is not the folder of a run: {RunFiles.CONFIGURATION} is missing or damaged ({exc})"
        ) from exc
    now = Configuration(**merged(values, given.model_dump(mode="json", exclude_unset=True)))
    if has_trained(run) and (others := sorted(_differences(before, now))):
        raise ConfigurationError(f"{run}: its training has ended; for another {', '.join(others)} start a new run")
    return now


def has_trained(run: Path) -> bool:
    """Return whether the training of a run has ended: an interrupted one may have a best epoch, but has no last one."""
    return all((run / checkpoint / CheckpointFiles.CARD).is_file() for checkpoint in _CHECKPOINTS)


def _differences(before: Configuration, now: Configuration) -> set[str]:
    """Return the names of the settings of the data, the model and the recipe that differ."""
    ours = [config.model_dump(exclude=_FREE) for config in (before, now)]
    return {name for name, path in leaf_paths(Configuration) if _at(ours[0], path) != _at(ours[1], path)}


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values.get(name, {})
    return values
