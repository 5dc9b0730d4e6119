"""``DatasetManifest``: the one table that stands for a data set.

A row is an annotation line. Pixels are never in it: a row names its image file and the file's hash. What a reader
could not read is kept in the row as well, so that validation can report every problem of a set together.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from florence2.codec.answers import scan_boxes
from florence2.codec.tasks import TASKS, AnswerKind
from florence2.errors import DatasetError

__all__ = ["COLUMNS", "SPLITS", "DatasetManifest"]

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
    "line_error": "string",
    "image_error": "string",
}
"""Columns of the table in order, with their pandas dtypes.

``split``: train, valid, test or empty. ``image``: path relative to the root. ``width``, ``height``: pixels of the
upright image, NA if unreadable. ``sha256``: of the image file, empty if unreadable. ``task``: token, empty if the
prefix has none. ``file``, ``line``: where the row stands, relative to the root and counted from 1. ``line_error``,
``image_error``: what could not be read, NA when all is well.
"""

_NULLABLE = frozenset({"width", "height", "line_error", "image_error"})
_TABLE_FILE = "manifest.parquet"
_HEADER_FILE = "manifest.json"
_FORMAT = "florence2-manifest/1"


@dataclass(frozen=True, eq=False)
class DatasetManifest:
    """A data set as a table, a row per annotation line.

    Attributes:
        root: absolute folder that ``image`` and ``file`` are relative to.
        table: the rows, with the columns and dtypes of ``COLUMNS`` and an index of 0..n-1. Not to be changed.

    Raises:
        ValueError: the root is not absolute, or a column is missing, superfluous, out of order, of the wrong dtype
            or empty where it must not be.
    """

    root: str
    table: pd.DataFrame

    def __post_init__(self) -> None:
        if not Path(self.root).is_absolute():
            raise ValueError(f"root must be an absolute folder, not {self.root!r}")
        found = {str(name): str(dtype) for name, dtype in self.table.dtypes.items()}
        if list(found.items()) != list(COLUMNS.items()):
            raise ValueError(f"manifest columns must be {COLUMNS}, not {found}")
        if not self.table.index.equals(pd.RangeIndex(len(self.table))):
            raise ValueError("manifest rows must be indexed 0..n-1")
        empty = [name for name in COLUMNS if name not in _NULLABLE and bool(self.table[name].isna().any())]
        if empty:
            raise ValueError(f"manifest columns {empty} must not have missing values")
        unknown = set(self.table["split"].unique()) - {"", *SPLITS}
        if unknown:
            raise ValueError(f"split must be one of {SPLITS} or empty, not {sorted(unknown)}")

    @classmethod
    def from_rows(cls, root: Path, rows: Iterable[Mapping[str, Any]]) -> DatasetManifest:
        """Build a manifest from one mapping per row.

        Args:
            root: folder of the data set.
            rows: a value for each column of ``COLUMNS``; None where a value is missing.

        Returns:
            The manifest, with the root made absolute.
        """
        listed = list(rows)
        columns = {name: pd.Series([row[name] for row in listed], dtype=dtype) for name, dtype in COLUMNS.items()}
        return cls(str(root.resolve()), pd.DataFrame(columns))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def fingerprint(self) -> str:
        """Hash of the rows in their order; where the folder lies does not enter into it.

        Hexadecimal SHA-256 of a JSON text of each column, so it does not hang on a version of pandas.
        """
        digest = hashlib.sha256(_FORMAT.encode())
        for name in COLUMNS:
            column = self.table[name].astype(object)
            values = column.where(column.notna(), None).tolist()
            digest.update(json.dumps([name, values]).encode())
        return digest.hexdigest()

    def select(self, *splits: str) -> DatasetManifest:
        """Return the rows of one split or several, in their order; "" asks for the rows without one."""
        return self._keep(self.table["split"].isin(splits))

    def drop(self, index: Iterable[int]) -> DatasetManifest:
        """Return the manifest without the rows at these positions."""
        return self._keep(~self.table.index.isin(list(index)))

    def image_path(self, position: int) -> Path:
        """Return the absolute path of the image of the row at a position, 0..n-1."""
        return Path(self.root) / str(self.table["image"].iloc[position])

    def class_names(self, split: str | None = None) -> tuple[str, ...]:
        """Return the class names in the detection answers, sorted.

        Args:
            split: look at one split only; None looks at all rows.

        Returns:
            Every distinct name that stands before location tokens in an answer made of boxes.
        """
        rows = self.table if split is None else self.table[self.table["split"] == split]
        boxes = [token for token, task in TASKS.items() if task.answer is AnswerKind.BOXES]
        suffixes = rows.loc[rows["task"].isin(boxes), "suffix"].unique()
        names = {span.class_name.strip() for suffix in suffixes for span in scan_boxes(suffix)[0]}
        return tuple(sorted(names - {""}))

    def save(self, folder: Path) -> None:
        """Write the manifest into a folder, which is made if need be: Parquet rows and a JSON header."""
        folder.mkdir(parents=True, exist_ok=True)
        header = {"format": _FORMAT, "root": self.root, "rows": len(self), "fingerprint": self.fingerprint}
        self.table.to_parquet(folder / _TABLE_FILE, index=False)
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
            manifest = cls(header["root"], table)
            expected = header["fingerprint"]
        except (OSError, ValueError, KeyError, TypeError) as exc:
            raise DatasetError(f"{folder}: no readable manifest ({exc}); ingest the data set again") from exc
        if manifest.fingerprint != expected:
            raise DatasetError(f"{folder}: the rows are not those of the header; ingest the data set again")
        return manifest

    def _keep(self, mask: Any) -> DatasetManifest:
        return DatasetManifest(self.root, self.table[mask].reset_index(drop=True))
