"""``create_project``: writes a folder with the settings of a fine-tune on one's own data, all files or none."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.codec import task_table
from florence2.config import Configuration, DatasetConfig, ModelConfig, TasksConfig
from florence2.datasets import freeze_test, recognise, split_dataset
from florence2.errors import ConfigurationError, DatasetError
from florence2.project.choices import choices, promotion_choices
from florence2.project.pages import GITIGNORE, described, readme, yaml_page
from florence2.project.survey import Survey, survey
from florence2.storage import write_atomic, writing

__all__ = ["CONFIGURATION", "FROZEN_TEST", "PROMOTION", "Project", "create_project"]

CONFIGURATION, PROMOTION, FROZEN_TEST = "florence.yaml", "promote.yaml", "test.json"
_KEPT = ("README.md", ".gitignore")
"""Files that a folder may have already; they are kept as they are."""
_DATA = ("", "data")


@dataclass(frozen=True)
class Project:
    """A project that was written.

    Attributes:
        folder: of the project.
        written: names of the new files.
        kept: names of files that existed and were kept as they are.
        found: sentences that describe its data set.
    """

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    found: tuple[str, ...]


def create_project(
    folder: Path,
    source: str | None = None,
    *,
    format: str = "auto",
    base: str = ModelConfig().base,
    task: Sequence[str] = (),
) -> Project:
    """Read a data set and write the configuration of a fine-tune on it.

    Args:
        folder: of the project; created if it is missing.
        source: folder, archive or URI of the data set; None: the folder, or ``data`` in it.
        format: of the data set; auto: recognised by its files.
        base: the model to start from.
        task: the user's own tasks, each as ``TOKEN=KIND``.

    Raises:
        ConfigurationError: a file that would be written exists, the folder cannot be written, or the format is unknown.
        DatasetError: there is no data set, or it cannot be read as a whole.
        ModelError: the base cannot be the name of a model.
    """
    folder = _expanded(folder)
    _check_free(folder)
    location = _data_in(folder) if source is None else _absolute(source)
    settings: dict[str, Any] = {"source": location, "format": format, "base": base}  # checked by the configuration
    everything = Configuration(**settings, task=list(task))
    config = everything.dataset
    found = survey(config, ModelConfig(base=base), task_table(everything.tasks.task))
    files = _files(folder, found, config, everything.tasks)
    kept = tuple(name for name in files if name in _KEPT and (folder / name).exists())
    new = {name: text for name, text in files.items() if name not in kept}
    _write(folder, new)
    return Project(folder, tuple(new), kept, tuple(described(found, config.source)))


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder}: is a file; give a folder for the project")
    there = [name for name in (CONFIGURATION, PROMOTION, FROZEN_TEST) if (folder / name).exists()]
    if there:
        raise ConfigurationError(
            f"{folder}: {' and '.join(there)} {'is' if len(there) == 1 else 'are'} there, and nothing is overwritten; "
            "move what is there away, or give another folder"
        )


def _data_in(folder: Path) -> str:
    """Return the data set in the folder of a project."""
    for name in _DATA:
        try:
            return str(recognise(folder / name)[0])
        except DatasetError:
            continue
    raise DatasetError(
        f"{folder}: has no data set; give one by --dataset: a folder, an archive, a URI, or builtin:cards for a trial"
    )


def _absolute(source: str) -> str:
    """Return a local path as absolute, since a project is used from other folders, too; a URI as it is."""
    return source if "://" in source or source.startswith("builtin:") else str(_expanded(source))


def _expanded(path: Path | str) -> Path:
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111 - Path.expanduser raises for unknown users


def _files(folder: Path, found: Survey, config: DatasetConfig, tasks: TasksConfig) -> dict[str, str]:
    """Return the texts of all files by their names."""
    name = folder.name or "florence2"
    frozen = _frozen(found) if "test" in found.missing else None
    frozen_file = str(folder / FROZEN_TEST) if frozen is not None else None
    ours = choices(found, config, tasks, _registered_name(name), frozen_file)
    facts, file = described(found, config.source), shlex.quote(str(folder / CONFIGURATION))
    theirs = promotion_choices(found, ours)
    finetune = [
        "Fine-tune of Florence-2, written by florence2 init. What was found:",
        *facts,
        "",
        f"  florence2 train --config {file}",
        "To estimate the time on a machine, run the same there with --dry-run.",
        "Tracked, cached and registered, in the folder of florence2-finetune after make stack:",
        f"  zenml pipeline run florence_finetune -c {file}",
        "Settings that are not written here have their defaults: see florence2 train --help.",
    ]
    promote = [
        "Is the newest version better than the champion? Data and answers as in florence.yaml.",
        f"  zenml pipeline run florence_promote -c {shlex.quote(str(folder / PROMOTION))}",
    ]
    prefix = str(found.manifest.table["prefix"].value_counts().index[0])
    return {
        CONFIGURATION: yaml_page(finetune, ours),
        PROMOTION: yaml_page(promote, theirs),
        **({FROZEN_TEST: frozen} if frozen is not None else {}),
        "README.md": readme(folder, found, config.source, prefix),
        ".gitignore": GITIGNORE,
    }


def _frozen(found: Survey) -> str:
    """Return the frozen test split as the text of its file."""
    frozen = freeze_test(found.manifest)
    split_dataset(found.manifest, found.split, frozen)  # raises if it cannot be used
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, FROZEN_TEST)
        frozen.save(file)
        return file.read_text(encoding="utf-8")


def _registered_name(folder: str) -> str:
    """Return a name that registries accept: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", folder).strip("-._") or "florence2-finetune"


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write the files into a folder, which may be new; after an error none of them is left."""
    made = not folder.exists()
    written: list[Path] = []
    try:
        with writing(folder, "free space, or give another folder"):
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in files.items():
                write_atomic(folder / name, text)
                written.append(folder / name)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
