"""Which rows show the same image: identical files, and near-identical images, also by way of others."""

from __future__ import annotations

import numpy as np
import pandas as pd

from florence2.datasets.manifest import DatasetManifest
from florence2.images import group_near_identical

__all__ = ["image_contents", "image_groups"]


def image_contents(manifest: DatasetManifest) -> pd.Series[str]:
    """Return, for each row, what identifies its image: the hash of the file, or the path if it cannot be read."""
    table = manifest.table
    return table["sha256"].where(table["sha256"] != "", table["image"]).rename("content")


def image_groups(manifest: DatasetManifest) -> pd.Series[str]:
    """Return, for each row, the name of its group of identical or near-identical images.

    Returns:
        For each row the smallest of the contents in its group, indexed as the table.
    """
    content = image_contents(manifest)
    signature_of_image = manifest.images.drop_duplicates("image").set_index("image")["signature"]
    signature = manifest.table["image"].map(signature_of_image).fillna("").astype("string")
    images = pd.DataFrame({"content": content, "signature": signature}).sort_values("content", kind="stable")
    images = images.drop_duplicates("content")
    numbers = group_near_identical(images["signature"].tolist())
    # The contents are sorted, so the first one of a group is its smallest.
    _, first = np.unique(numbers, return_index=True)
    names = pd.Series(images["content"].to_numpy()[first][numbers], index=images["content"].to_numpy())
    return content.map(names).astype("string").rename("group")
