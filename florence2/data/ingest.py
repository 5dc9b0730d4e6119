"""From the settings of a data set to its manifest: find it, then read it."""

from __future__ import annotations

from florence2.config import DatasetConfig
from florence2.data.formats import read_dataset
from florence2.data.manifest import DatasetManifest
from florence2.data.sources.locate import locate

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
    return read_dataset(locate(config.source, verify=config.verify), config.format, verify=config.verify)
