"""Readers of data sets on disk; each turns a folder into a ``DatasetManifest``."""

from __future__ import annotations

from pathlib import Path

from florence2.data.formats.jsonl import read_jsonl
from florence2.data.manifest import DatasetManifest

__all__ = ["read_dataset"]


def read_dataset(root: Path) -> DatasetManifest:
    """Read the data set in a folder.

    Args:
        root: folder in the Florence JSONL layout, see ``florence2.data.formats.jsonl``.

    Returns:
        A row for each annotation line, also for those that could not be read.

    Raises:
        DatasetError: the folder as a whole cannot be read; the message says what was looked for and what is there.
    """
    return read_jsonl(root)
