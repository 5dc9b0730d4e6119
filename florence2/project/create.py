"""``create_project``: a folder with all that a fine-tune of one's own data needs, written at once or not at all."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from florence2.config import Configuration, DatasetConfig, ModelConfig
from florence2.datasets import freeze_test, recognise, split_dataset
from florence2.errors import ConfigurationError, DatasetError
from florence2.project.choices import choices, promotion_choices
from florence2.project.pages import GITIGNORE, described, readme, yaml_page
from florence2.project.survey import Survey, survey
from florence2.storage import write_atomic, writing

__all__ = ["CONFIGURATION", "FROZEN_TEST", "PROMOTION", "Project", "create_project"]

CONFIGURATION, PROMOTION, FROZEN_TEST = "florence.yaml", "promote.yaml", "test.json"
_KEPT = ("README.md", ".gitignore")
"""Files that a folder may have already; they are left as they are."""
_DATA = ("", "data")


@dataclass(frozen=True)
class Project:
    """A project that was written.

    Attributes:
        folder: of it.
        written: names of the files in it that are new.
        kept: names of files that were there and were left as they are.
        found: what is in its data set, a sentence each.
    """

    folder: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    found: tuple[str, ...]


def create_project(
    folder: Path, source: str | None = None, *, format: str = "auto", base: str = ModelConfig().base
) -> Project:
    """Look at a data set and write the configuration of a fine-tune on it.

    Args:
        folder: of the project; made if need be.
        source: folder, archive or URI of the data set; without: the folder, or ``data`` in it.
        format: how the data set is written; auto: recognised by its files.
        base: the model to start from.

    Raises:
        ConfigurationError: a file that would be written exists, or the folder cannot be written, or the format or the
            base is none.
        DatasetError: there is no data set, or it cannot be read as a whole.
        ModelError: nothing can have the name of that base.
    """
    folder = _expanded(folder)
    _check_free(folder)
    place = _data_in(folder) if source is None else _absolute(source)
    settings: dict[str, Any] = {"source": place, "format": format, "base": base}  # checked when they are read
    config = Configuration(**settings).dataset
    found = survey(config, base)
    files = _files(folder, found, config, base)
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
    """Return the data set that lies in the folder of a project."""
    for name in _DATA:
        try:
            return str(recognise(folder / name)[0])
        except DatasetError:
            continue
    raise DatasetError(
        f"{folder}: no data set lies there; name it: --dataset FOLDER, an archive, a URI, or builtin:cards to try"
    )


def _absolute(source: str) -> str:
    """Return a local path made absolute, for a project is used from other folders than this one; a URI as it is."""
    return source if "://" in source or source.startswith("builtin:") else str(_expanded(source))


def _expanded(path: Path | str) -> Path:
    return Path(os.path.expanduser(path)).absolute()  # noqa: PTH111 - Path.expanduser raises for unknown users


def _files(folder: Path, found: Survey, config: DatasetConfig, base: str) -> dict[str, str]:
    """Return the texts of all files by their names."""
    name = folder.name or "florence2"
    frozen = _frozen(found) if "test" in found.missing else None
    place = str(folder / FROZEN_TEST) if frozen is not None else None
    ours = choices(found, config, base, _registered_name(name), place)
    facts, file = described(found, config.source), shlex.quote(str(folder / CONFIGURATION))
    theirs = promotion_choices(found, ours)
    finetune = [
        "Fine-tune of Florence-2, written by florence2 init. What was found:",
        *facts,
        "",
        f"  florence2 train --config {file}",
        "How long that takes on a machine is measured there by the same with --dry-run.",
        "Tracked, cached and registered, in the folder of florence2-finetune after make stack:",
        f"  zenml pipeline run florence_finetune -c {file}",
        "What is not written here has its default: florence2 train --help tells every setting.",
    ]
    promote = [
        "Is the newest version better than the champion? Data and answers as in florence.yaml.",
        f"  zenml pipeline run florence_promote -c {shlex.quote(str(folder / PROMOTION))}",
    ]
    prefix = str(found.rows.table["prefix"].value_counts().index[0])
    return {
        CONFIGURATION: yaml_page(finetune, ours),
        PROMOTION: yaml_page(promote, theirs),
        **({FROZEN_TEST: frozen} if frozen is not None else {}),
        "README.md": readme(folder, found, config.source, prefix),
        ".gitignore": GITIGNORE,
    }


def _frozen(found: Survey) -> str:
    """Return the frozen test split as the text of its file."""
    frozen = freeze_test(found.rows)
    split_dataset(found.rows, found.split, frozen)  # raises where it could not be used
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, FROZEN_TEST)
        frozen.save(file)
        return file.read_text(encoding="utf-8")


def _registered_name(folder: str) -> str:
    """Return a name that registries take: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.-]+", "-", folder).strip("-._") or "florence2-finetune"


def _write(folder: Path, files: dict[str, str]) -> None:
    """Write the files into a folder, which may be new; on an error none of them is left."""
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
