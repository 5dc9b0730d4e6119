"""The one way from a name that a user types to a model: built-in, folder, hub id, checkpoint or run of a training."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from florence2.codec import TaskTable
from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.base import base_fingerprint, load_base, resolve, unpacked_model
from florence2.model.checkpoint import Checkpoint
from florence2.model.files import model_file
from florence2.model.florence import Florence2, tasks_in
from florence2.storage import CheckpointFiles, RunFiles, is_packed

__all__ = ["base_tasks", "check_named", "checkpoint_named", "load_named", "named_fingerprint", "named_tasks"]


def load_named(name: str, revision: str | None = None) -> Florence2:
    """Load a model with its adapters merged, in float32 on the CPU.

    Args:
        name: ``builtin:nano``, the folder of a saved model, of a checkpoint or of a run with one, or a hub id.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: there is no such model, or it is damaged, or the run has not ended.
    """
    checkpoint = checkpoint_named(name)
    return checkpoint.load() if checkpoint else load_base(ModelConfig(base=name, revision=revision))


def named_fingerprint(name: str, revision: str | None = None) -> str:
    """Return the fingerprint of the model that ``load_named`` would load.

    Args:
        name: as ``load_named`` takes it.
        revision: branch, tag or commit of a hub id.

    Returns:
        A hash of the files of a folder, a checkpoint or a built-in model; the commit of a hub id.

    Raises:
        ModelError: there is no such model.
    """
    checkpoint = checkpoint_named(name)
    return (
        checkpoint.compute_fingerprint() if checkpoint else base_fingerprint(ModelConfig(base=name, revision=revision))
    )


def named_tasks(name: str, revision: str | None = None) -> TaskTable:
    """Return the tasks of the model that ``load_named`` would load; its weights are not read.

    Args:
        name: as ``load_named`` takes it.
        revision: branch, tag or commit of a hub id.

    Raises:
        ModelError: there is no such model, or its record of tasks is damaged.
    """
    checkpoint = checkpoint_named(name)
    return checkpoint.tasks if checkpoint else base_tasks(ModelConfig(base=name, revision=revision))


def base_tasks(config: ModelConfig) -> TaskTable:
    """Return the tasks of a base by its configuration; raises as ``named_tasks``."""
    try:
        return tasks_in(json.loads(model_file(config, "config.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError) as exc:
        raise ModelError(f"{config.base}: its config.json cannot be read ({exc})") from exc


def check_named(name: str) -> None:
    """Raise for a name that no model can have; nothing is loaded, and the hub gets no request.

    Args:
        name: as ``load_named`` takes it.

    Raises:
        ModelError: there is no such model.
    """
    if checkpoint_named(name) is None:
        resolve(ModelConfig(base=name))


def checkpoint_named(name: str) -> Checkpoint | None:
    """Open the checkpoint in a folder of that name; None where the name is not that of a checkpoint.

    Raises:
        ModelError: it is damaged, or the folder is that of a run without one.
    """
    # Path.expanduser raises for unknown users.
    folder = unpacked_model(name) if is_packed(name) else Path(os.path.expanduser(name))  # noqa: PTH111
    for path in (folder / RunFiles.BEST_CHECKPOINT, folder):
        if (path / CheckpointFiles.CARD).is_file():
            return Checkpoint.read(path)
    if all((folder / file).is_file() for file in (RunFiles.CONFIGURATION, RunFiles.COMMAND)):
        resume = f"florence2 train --resume {shlex.quote(name)}"
        raise ModelError(f"{name}: this run has no checkpoint yet; resume it by: {resume}")
    return None
