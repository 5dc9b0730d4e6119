"""``DatasetManifest``: the table that stands for a data set.

A row is a sample; sets that list boxes have a row for each image. The manifest holds no
pixels: a row names its image file and the file's hash, and a second table holds what was found in each image file. What
a reader could not read stays in the row as well, so that validation can report every problem together.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pandas as pd

from florence2.codec import TASKS, TaskTable, dump_tasks, joined, parse_tasks
from florence2.datasets.location import is_local, is_local_archive, locate
from florence2.errors import DatasetError
from florence2.storage import fingerprint_folder, redact

__all__ = ["COLUMNS", "IMAGE_COLUMNS", "SPLITS", "DatasetManifest"]

SPLITS = ("train", "valid", "test")
"""Names of the splits; a row without one has the empty string."""

COLUMNS: dict[str, str] = {
    "split": "string",
    "image": "string",
    "width": "Int64",
    "height": "Int64",
    "sha256": "string",
    "task": "string",
    "prefix": "string",
    "suffix": "string",
    "file": "string",
    "line": "int64",
    "box_lines": "string",
    "declared_width": "Int64",
    "declared_height": "Int64",
    "line_error": "string",
    "image_error": "string",
}
"""Columns of the table in order, with their pandas dtypes.

``split``: train, valid, test or empty. ``image``: path relative to the root. ``width``, ``height``: pixels of the
upright image, NA if unreadable. ``sha256``: of the image file, empty if unreadable. ``task``: token, empty if the
prefix has none. ``suffix``: the answer; where it was made from coordinates, a box that leaves its image has bins
outside 0..999. ``file``, ``line``: of the annotation, relative to the root and counted from 1. ``box_lines``: the line
of each box of the answer, joined by blanks, with a colon and the id that the file gives the box if it does, ``7:12 9``;
NA where the file holds the answer itself. ``declared_width``,
``declared_height``: size of the image in pixels as the annotations say, NA if they do not.
``line_error``, ``image_error``: what could not be read, NA if all could.
"""

IMAGE_COLUMNS: dict[str, str] = {
    "image": "string",
    "width": "Int64",
    "height": "Int64",
    "sha256": "string",
    "mode": "string",
    "orientation": "Int64",
    "brightness": "Float64",
    "signature": "string",
    "error": "string",
}
"""Columns of the table of image files: path relative to the root, then the fields of ``ImageProbe`` by their names.
``mode`` is Pillow's, with "+transparency" added to one that does not imply it.

A file that no row names is not probed: its hash is empty and the other fields are NA.
"""

_NULLABLE = frozenset(
    {"width", "height", "box_lines", "declared_width", "declared_height", "line_error", "image_error"}
)
_TABLE_FILE = "manifest.parquet"
_IMAGES_FILE = "images.parquet"
_HEADER_FILE = "manifest.json"
_FORMAT = "florence2-manifest/2"


@dataclass(frozen=True, eq=False)
class DatasetManifest:
    """A data set as a table, a row for each sample.

    Attributes:
        source: where the files lie that ``image`` and ``file`` name: an absolute folder, or a source that any machine
            can locate.
        table: the rows, with the columns and dtypes of ``COLUMNS`` and an index of 0..n-1. Not to be changed.
        images: the image files, each once, with the columns and dtypes of ``IMAGE_COLUMNS``; also those that no row
            names, except in a selection of rows. Not to be changed.
        splits: the splits that the data set comes with, also one without a row.
        content: fingerprint of the files, where the source does not identify them; else empty.
        tasks: those of which each prefix names one.

    Raises:
        ValueError: the source is a folder that is not absolute, or a column is missing, superfluous, out of order, of
            the wrong dtype or empty where it must not be.
    """

    source: str
    table: pd.DataFrame
    images: pd.DataFrame
    splits: tuple[str, ...]
    content: str = ""
    tasks: TaskTable = TASKS
    _roots: dict[str, Path] = field(default_factory=dict, repr=False)
    """Folders that were fetched, by source. Selections share it, so that files are fetched once for all."""

    def __post_init__(self) -> None:
        if is_local(self.source) and not Path(self.source).is_absolute():
            raise ValueError(f"source must be an absolute folder, an archive or a URI, not {self.source!r}")
        _check_columns(self.table, COLUMNS)
        _check_columns(self.images, IMAGE_COLUMNS)
        if not self.table.index.equals(pd.RangeIndex(len(self.table))):
            raise ValueError("manifest rows must be indexed 0..n-1")
        empty = [name for name in COLUMNS if name not in _NULLABLE and bool(self.table[name].isna().any())]
        if empty:
            raise ValueError(f"manifest columns {empty} must not have missing values")
        unknown = {*self.table["split"].unique(), *self.splits} - {"", *SPLITS}
        if unknown:
            raise ValueError(f"split must be one of {SPLITS} or empty, not {sorted(unknown)}")

    @classmethod
    def from_columns(
        cls, root: Path, rows: Mapping[str, Any], images: Mapping[str, Any], splits: Iterable[str] = ()
    ) -> DatasetManifest:
        """Build a manifest from the values of each column.

        Args:
            root: folder of the data set, made absolute.
            rows: a sequence for each column of ``COLUMNS``; None where a value is missing.
            images: a sequence for each column of ``IMAGE_COLUMNS``.
            splits: the splits that the data set comes with; those of the rows are added.
        """
        table = pd.DataFrame({name: pd.Series(rows[name], dtype=dtype) for name, dtype in COLUMNS.items()})
        files = pd.DataFrame({name: pd.Series(images[name], dtype=dtype) for name, dtype in IMAGE_COLUMNS.items()})
        named = {*splits, *table["split"].unique()}
        return cls(str(root.resolve()), table, files, tuple(split for split in SPLITS if split in named))

    def __len__(self) -> int:
        return len(self.table)

    def fetch_root(self) -> Path:
        """Return the absolute folder of the files on this machine; files that lie elsewhere are fetched first.

        They are fetched and compared with ``content`` once for a manifest and all selections of it.

        Raises:
            DatasetError: the files cannot be fetched, or have changed since the rows were read.
        """
        if is_local(self.source) and not is_local_archive(self.source):
            return Path(self.source)
        if self.source not in self._roots:
            folder = locate(self.source)
            if self.content and fingerprint_folder(folder) != self.content:
                raise DatasetError(f"{self.name}: has changed since its rows were read; run again")
            self._roots[self.source] = folder
        return self._roots[self.source]

    @property
    def name(self) -> str:
        """The name of the data set in messages: its source without what may be a secret."""
        return redact(self.source)

    def at_source(self, source: str, content: str = "") -> DatasetManifest:
        """Return the same rows with the source at which other machines find the files; this machine keeps its copy."""
        return replace(self, source=source, content=content, _roots={source: self.fetch_root()})

    @functools.cached_property
    def fingerprint(self) -> str:
        """Hash of the rows in their order and of the image files; it does not depend on the path of the folder.

        Hexadecimal SHA-256 of a JSON text of each column, so that it does not depend on the version of pandas.
        """
        digest = hashlib.sha256(_FORMAT.encode())
        for frame in (self.table, self.images):
            for name in frame.columns:
                column = frame[name].astype(object)
                values = column.where(column.notna(), None).tolist()
                digest.update(json.dumps([name, values]).encode())
        digest.update(json.dumps(self.splits).encode())
        if self.tasks.own:
            digest.update(json.dumps(dump_tasks(self.tasks.own)).encode())
        return digest.hexdigest()

    def with_tasks(self, tasks: TaskTable) -> DatasetManifest:
        """Return the same rows with other tasks, each with that of its prefix."""
        token_of = {prefix: tasks.token_of(prefix) for prefix in self.table["prefix"].unique()}
        tokens = pd.Series([token_of[prefix] for prefix in self.table["prefix"]], dtype="string")
        table = self.table.assign(task=tokens)
        return replace(self, table=table, tasks=tasks)

    def replace_rows(self, table: pd.DataFrame) -> DatasetManifest:
        """Return a manifest of these rows, in their order and indexed anew, with the images that they name."""
        images = self.images[self.images["image"].isin(table["image"])]
        splits = tuple(split for split in SPLITS if (table["split"] == split).any())
        rows, files = table.reset_index(drop=True), images.reset_index(drop=True)
        return replace(self, table=rows, images=files, splits=splits)

    def select(self, *splits: str) -> DatasetManifest:
        """Return the rows of one split or several, in their order; "" selects the rows without one."""
        return self.replace_rows(self.table[self.table["split"].isin(splits)])

    def drop(self, index: Iterable[int]) -> DatasetManifest:
        """Return the manifest without the rows at these positions."""
        return self.replace_rows(self.table[~self.table.index.isin(list(index))])

    def save(self, folder: Path) -> None:
        """Write the manifest into a folder, which is created if necessary: Parquet tables and a JSON header."""
        folder.mkdir(parents=True, exist_ok=True)
        header = {
            "format": _FORMAT,
            "place": self.source,  # the earlier name of the attribute: stored manifests have it
            "content": self.content,
            "splits": self.splits,
            "rows": len(self),
            "fingerprint": self.fingerprint,
        }
        if self.tasks.own:
            header["own_tasks"] = dump_tasks(self.tasks.own)
        self.table.to_parquet(folder / _TABLE_FILE, index=False)
        self.images.to_parquet(folder / _IMAGES_FILE, index=False)
        (folder / _HEADER_FILE).write_text(json.dumps(header, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> DatasetManifest:
        """Read a manifest that ``save`` wrote.

        Raises:
            DatasetError: the folder holds no manifest, or not the one that its header describes.
        """
        try:
            header = json.loads((folder / _HEADER_FILE).read_text(encoding="utf-8"))
            table = pd.read_parquet(folder / _TABLE_FILE).astype(COLUMNS)
            images = pd.read_parquet(folder / _IMAGES_FILE).astype(IMAGE_COLUMNS)
            tasks = joined(TASKS, parse_tasks(header.get("own_tasks", ())))  # earlier headers have none
            manifest = cls(header["place"], table, images, tuple(header["splits"]), header["content"], tasks)
            expected = header["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise DatasetError(f"{folder}: no readable manifest ({exc}); ingest the data set again") from exc
        if manifest.fingerprint != expected:
            raise DatasetError(f"{folder}: the rows are not those of the header; ingest the data set again")
        return manifest


def _check_columns(frame: pd.DataFrame, columns: Mapping[str, str]) -> None:
    found = {str(name): str(dtype) for name, dtype in frame.dtypes.items()}
    if list(found.items()) != list(columns.items()):
        raise ValueError(f"manifest columns must be {dict(columns)}, not {found}")
