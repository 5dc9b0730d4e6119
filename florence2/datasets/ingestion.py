"""From the settings of a data set to its manifest: find it, then read it."""

from __future__ import annotations

from florence2.config import DatasetConfig
from florence2.datasets.formats.recognition import read_dataset
from florence2.datasets.location import is_local, locate
from florence2.datasets.manifest import DatasetManifest
from florence2.storage import fingerprint_folder, is_packed, redact

__all__ = ["ingest"]


def ingest(config: DatasetConfig) -> DatasetManifest:
    """Read the data set that the settings name.

    Args:
        config: where it lies and how it is written.

    Returns:
        A row for each annotation, also for those that could not be read.

    Raises:
        DatasetError: there is no such data set, or it cannot be read as a whole.
    """
    folder = locate(config.source, verify=config.verify)
    manifest = read_dataset(folder, config.format, verify=config.verify)
    if is_local(config.source) or redact(config.source) != config.source:
        return manifest  # a folder of this machine, or an address with a secret, which is not written down
    if is_packed(config.source) or config.source.startswith("builtin:"):
        return manifest.placed(config.source)
    return manifest.placed(config.source, fingerprint_folder(folder))
