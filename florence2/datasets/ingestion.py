"""Locate a data set and read it into its manifest."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from florence2.codec import FREE_PROMPT, FREE_TASK, TASKS, TaskTable, joined
from florence2.config import DatasetConfig
from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.location import is_local, is_local_archive, local_path, locate
from florence2.datasets.manifest import DatasetManifest
from florence2.errors import DatasetError
from florence2.storage import fingerprint_folder, is_packed, redact

__all__ = ["ingest", "named_by_source", "with_known_tasks"]


def ingest(config: DatasetConfig, tasks: TaskTable = TASKS) -> DatasetManifest:
    """Locate and read a data set.

    Args:
        config: its source and its format.
        tasks: of which each prefix names one. Where all prefixes are sentences without a token, they are free prompts:
            ``FREE_TASK`` is added.

    Returns:
        A row for each sample, also for those that could not be read.

    Raises:
        ConfigurationError: there is no such format, or its package cannot be imported.
        DatasetError: there is no such data set, or it cannot be read as a whole.
    """
    folder = locate(config.source, verify=config.verify)
    with named_by_source(config.source, folder):
        manifest = read_dataset(folder, config.format, verify=config.verify, source=_shown(config.source, folder))
    manifest = with_known_tasks(manifest, tasks)
    if is_local_archive(config.source):
        return _of_archive(manifest, config.source, folder)
    if is_local(config.source) or redact(config.source) != config.source:
        return manifest  # a folder of this machine, or a URI with a secret, which must not be stored
    if is_packed(config.source) or config.source.startswith("builtin:"):
        return manifest.at_source(config.source)
    return manifest.at_source(config.source, fingerprint_folder(folder))


def with_known_tasks(manifest: DatasetManifest, tasks: TaskTable) -> DatasetManifest:
    """Return a manifest with these tasks, and with that of free prompts where all its prefixes are such.

    Args:
        manifest: as a reader made it.
        tasks: of which each prefix names one.
    """
    prefixes = manifest.table["prefix"][manifest.table["line_error"].isna()].unique()
    free = joined(tasks, [FREE_TASK])
    if FREE_PROMPT not in tasks and len(prefixes) and all(free.token_of(each) == FREE_PROMPT for each in prefixes):
        tasks = free
    return manifest if tasks == manifest.tasks else manifest.with_tasks(tasks)


def _of_archive(manifest: DatasetManifest, source: str, folder: Path) -> DatasetManifest:
    """Return the rows of an archive, named by it; the extracted files are those that were read."""
    path = local_path(source)
    if path is None or manifest.fetch_root() != folder.resolve():
        return manifest
    return manifest.at_source(str(path), fingerprint_folder(folder))


def _shown(source: str, folder: Path) -> str | None:
    """Return the name of a source for messages; None where its path says it best."""
    return None if str(local_path(source)) == str(folder) else redact(source)


@contextlib.contextmanager
def named_by_source(source: str, folder: Path) -> Iterator[None]:
    """Name a data set in errors by its source, where its files are a copy in the cache.

    Args:
        source: as the user gave it.
        folder: where ``locate`` found it.
    """
    try:
        yield
    except DatasetError as exc:
        if str(local_path(source)) == str(folder) or str(folder) not in str(exc):
            raise
        raise DatasetError(str(exc).replace(str(folder), redact(source))) from exc
