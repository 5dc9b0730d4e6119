"""Which rows show the same picture: identical files, and pictures that are near-identical, also through others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from florence2.data.images.near_duplicates import group_near_identical
from florence2.data.manifest import DatasetManifest

__all__ = ["picture_contents", "picture_groups"]


def picture_contents(manifest: DatasetManifest) -> pd.Series[str]:
    """Return, for each row, what identifies its picture: the hash of the file, or the path if it cannot be read."""
    table = manifest.table
    return table["sha256"].where(table["sha256"] != "", table["image"]).rename("content")


def picture_groups(manifest: DatasetManifest) -> pd.Series[str]:
    """Return, for each row, the name of its group of identical or near-identical pictures.

    Returns:
        The smallest of the contents in the group, of every row, indexed as the table is.
    """
    content = picture_contents(manifest)
    signature_of_image = manifest.images.drop_duplicates("image").set_index("image")["signature"]
    signature = manifest.table["image"].map(signature_of_image).fillna("").astype("string")
    pictures = pd.DataFrame({"content": content, "signature": signature}).sort_values("content", kind="stable")
    pictures = pictures.drop_duplicates("content")
    numbers = group_near_identical(pictures["signature"].tolist())
    # The contents are sorted, so the first one of a group is its smallest.
    _, first = np.unique(numbers, return_index=True)
    names = pd.Series(pictures["content"].to_numpy()[first][numbers], index=pictures["content"].to_numpy())
    return content.map(names).astype("string").rename("group")
