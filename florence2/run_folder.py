"""The numbered folders of runs, each with the settings that it was started with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from florence2.config import Configuration, leaf_paths
from florence2.errors import ConfigurationError
from florence2.model.named import CHECKPOINT

__all__ = ["CHECKPOINT", "numbered", "resumed", "save_settings", "unfinished_run"]

_SETTINGS = "settings.json"
_FREE: Any = {"evaluation": True, "registration": True, "training": {"engine", "preview"}}
"""What a run may go on with otherwise."""


def numbered(parent: Path) -> Path:
    """Make the next free folder ``1``, ``2``, ... atomically, so that concurrent runs never share one."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationError(f"{parent}: cannot be a folder for runs: {exc.strerror}; give another output") from exc
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
    runs = [run for run in parent.glob("*") if run.name.isdecimal() and (run / _SETTINGS).is_file()]
    waiting = [run for run in runs if not (run / "report").is_dir()]
    if not waiting:
        raise ConfigurationError(f"{parent}: no run here waits to be resumed; give its folder, or start a new one")
    return max(waiting, key=lambda run: int(run.name))


def save_settings(configuration: Configuration, run: Path) -> None:
    """Write down the settings that were given for a run."""
    values = configuration.model_dump(mode="json", exclude_unset=True)
    (run / _SETTINGS).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def resumed(run: Path, given: Configuration) -> Configuration:
    """Return the settings of a run with those on top that are given now.

    Args:
        run: its folder.
        given: may set what the course of the training does not depend on.

    Raises:
        ConfigurationError: the folder is none of a run, the settings in it are damaged, or the run has ended and
            what it would train now is something else.
    """
    try:
        values = json.loads((run / _SETTINGS).read_text(encoding="utf-8"))
        before = Configuration(**values)
    except (OSError, ValueError, TypeError) as exc:
        raise ConfigurationError(f"{run} is no folder of a run: {_SETTINGS} is missing or damaged ({exc})") from exc
    now = Configuration(**_merged(values, given.model_dump(mode="json", exclude_unset=True)))
    if (run / CHECKPOINT).is_dir() and (others := sorted(_differences(before, now))):
        raise ConfigurationError(f"{run}: its training has ended; for another {', '.join(others)} start a new run")
    return now


def _differences(before: Configuration, now: Configuration) -> set[str]:
    """Return the names of the settings of the data, the model and the recipe that are no longer the same."""
    ours = [config.model_dump(exclude=_FREE) for config in (before, now)]
    return {name for name, path in leaf_paths(Configuration) if _at(ours[0], path) != _at(ours[1], path)}


def _at(values: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        values = values.get(name, {})
    return values


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = dict(below)
    for name, value in above.items():
        inner = below.get(name)
        both[name] = _merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both
