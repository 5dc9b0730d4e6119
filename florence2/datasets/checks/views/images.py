"""The view ``images``: an item for each image file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from florence2.config import ValidationConfig
from florence2.datasets.checks.image_groups import image_contents
from florence2.datasets.checks.repetitions import later_split
from florence2.datasets.checks.view import Positions, View, codes_of, records
from florence2.datasets.manifest import DatasetManifest
from florence2.images import group_near_identical

__all__ = ["ImageFile", "ImagesView", "NearGroups"]


class NearGroups:
    """Groups of near-identical images, searched once however often a data set is checked while it is repaired.

    They depend on the images alone, and a repair removes none of them: a row that is removed repeats another one of its
    split, with the same image.
    """

    def __init__(self) -> None:
        self._number: dict[str, int] = {}

    def of(self, signatures: Sequence[str]) -> NDArray[np.int64]:
        """Return the number of each image's group, (n,).

        Args:
            signatures: of each image, none empty.
        """
        if not self._number.keys() >= set(signatures):
            self._number = dict(zip(signatures, group_near_identical(signatures).tolist(), strict=True))
        return np.array([self._number[text] for text in signatures], dtype=np.int64)


@dataclass(frozen=True)
class ImageFile:
    """One image file.

    Attributes:
        position: position in the view.
        row: the length of the manifest: files are reported behind its rows.
        cells: its values by the columns of the table of images; ``image["mode"]`` returns one.
        line: 0, the file as a whole.
    """

    position: int
    row: int
    cells: Mapping[str, Any]
    line: int = 0

    def __getitem__(self, column: str) -> Any:
        return self.cells[column]

    @property
    def file(self) -> str:
        """Path of the image, relative to the data set."""
        return str(self.cells["image"])

    @property
    def value(self) -> str:
        """Path of the image, relative to the data set."""
        return self.file


class ImagesView(View[ImageFile]):
    """The image files of a data set, i in all.

    The search for near-identical images takes about as long as all other rules together and begins at once, in a
    thread: it spends its time in NumPy, which releases the interpreter lock.
    """

    name = "images"
    title = "Image files"

    def __init__(self, manifest: DatasetManifest, config: ValidationConfig, groups: NearGroups) -> None:
        super().__init__(manifest, config)
        pool = ThreadPoolExecutor(max_workers=1)
        self._image_of_row = pool.submit(_image_of_row, manifest)
        self._nearly_equal_row = pool.submit(lambda: _nearly_equal_rows(manifest, self.image_of_row, groups))
        pool.shutdown(wait=False)

    @property
    def table(self) -> pd.DataFrame:
        """The table of images of the manifest."""
        return self.manifest.images

    def items(self, positions: Positions) -> list[ImageFile]:
        """Return the image files at some positions."""
        cells = records(self.table.iloc[positions])
        return [
            ImageFile(position, len(self.manifest), values)
            for position, values in zip(positions.tolist(), cells, strict=True)
        ]

    def rows_of(self, positions: Positions) -> Positions:
        """Return the rows that name the images."""
        wanted = np.zeros(len(self.table), dtype=bool)
        wanted[positions] = True
        return np.flatnonzero((self.image_of_row >= 0) & wanted[self.image_of_row])

    @property
    def image_of_row(self) -> Positions:
        """The position of the image of each row of the manifest, (n,); -1 where there is no such file."""
        return self._image_of_row.result()

    @property
    def nearly_equal_row(self) -> Positions:
        """A row of a later split with nearly, not exactly the same image, (i,); -1 where there is none."""
        return self._nearly_equal_row.result()


def _image_of_row(manifest: DatasetManifest) -> Positions:
    indexer = pd.Index(manifest.images["image"]).get_indexer(pd.Index(manifest.table["image"]))
    return np.asarray(indexer, dtype=np.int64)


def _nearly_equal_rows(manifest: DatasetManifest, image_of_row: Positions, groups: NearGroups) -> Positions:
    """Find for each image a row of a later split with nearly, not exactly the same image; -1 if there is none."""
    found = np.full(len(manifest.images), -1)
    signatures = manifest.images["signature"].fillna("").to_numpy()
    splits = manifest.table["split"]
    rows = np.flatnonzero((image_of_row >= 0) & (splits != "").to_numpy(dtype=bool))
    rows = rows[signatures[image_of_row[rows]] != ""]
    # One row for each image of each split is enough.
    rows = rows[~pd.DataFrame({"image": image_of_row[rows], "split": splits.to_numpy()[rows]}).duplicated().to_numpy()]
    if splits.iloc[rows].nunique() < 2:
        return found
    used, where = np.unique(image_of_row[rows], return_inverse=True)
    numbers = pd.factorize(groups.of(list(signatures[used]))[where])[0].astype(np.int64)
    near = later_split(splits.iloc[rows], numbers)
    exact = later_split(splits.iloc[rows], codes_of(image_contents(manifest).iloc[rows]))
    leaks = np.flatnonzero((near >= 0) & (exact < 0))
    found[image_of_row[rows[leaks]]] = rows[near[leaks]]
    return found
