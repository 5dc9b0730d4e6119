"""The view ``splits``: a row for each split that the data set comes with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from florence2.datasets.checks.view import Positions, View
from florence2.datasets.manifest import DatasetManifest

__all__ = ["splits_view"]


def splits_view(manifest: DatasetManifest) -> View:
    """Derive the columns about splits.

    Args:
        manifest: the data set.
    """
    counts = manifest.table["split"].value_counts()
    unsplit = int(counts.get("", 0))
    names = list(manifest.splits)
    rows = [int(counts.get(name, 0)) for name in names]
    empty = [not count for count in rows]
    table = pd.DataFrame(
        {
            "train_empty": [bad and name == "train" and not unsplit for bad, name in zip(empty, names, strict=True)],
            "held_out_empty": [bad and name != "train" for bad, name in zip(empty, names, strict=True)],
        },
        dtype=bool,
    )

    def describe(positions: Positions) -> list[dict[str, Any]]:
        return [{"row": len(manifest), "file": names[at], "line": 0, "split": names[at]} for at in positions]

    return View("splits", table, describe, lambda _: np.zeros(0, dtype=np.int64))
