"""Locate a data set and read it into its manifest."""

from __future__ import annotations

from florence2.config import DatasetConfig
from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.location import is_local, locate
from florence2.datasets.manifest import DatasetManifest
from florence2.storage import fingerprint_folder, is_packed, redact

__all__ = ["ingest"]


def ingest(config: DatasetConfig) -> DatasetManifest:
    """Locate and read a data set.

    Args:
        config: its source and its format.

    Returns:
        A row for each sample, also for those that could not be read.

    Raises:
        ConfigurationError: there is no such format, or its package cannot be imported.
        DatasetError: there is no such data set, or it cannot be read as a whole.
    """
    folder = locate(config.source, verify=config.verify)
    manifest = read_dataset(folder, config.format, verify=config.verify)
    if is_local(config.source) or redact(config.source) != config.source:
        return manifest  # a folder of this machine, or a URI with a secret, which must not be stored
    if is_packed(config.source) or config.source.startswith("builtin:"):
        return manifest.at_source(config.source)
    return manifest.at_source(config.source, fingerprint_folder(folder))
