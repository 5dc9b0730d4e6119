"""Measure how even seeded splits come out, against placing every image by its hash alone.

    python -m benchmarks.split_evenness [DATASET ...]

The given splits are ignored. For 20 seeds: how far the share of a class in a held-out split is from the one requested
for (mean over classes that are due an image there), how many such gaps there are, and, when the data set grows from
half of its images to all, the share of the old ones that move.
"""

from __future__ import annotations

import argparse
import random

import numpy as np
import pandas as pd

from florence2.codec.scan import scan_column
from florence2.config import DatasetConfig, SplitConfig
from florence2.datasets.boxes import boxes_of
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.splits import assignment
from florence2.datasets.statistics.compute import compute_statistics

__all__ = ["scores"]

_SEEDS = range(20)
_SHARE = 0.1


def _dealt(manifest: DatasetManifest, seed: int, *, by_hash_alone: bool) -> pd.Series[str]:
    config = SplitConfig(valid_fraction=_SHARE, test_fraction=_SHARE, split_seed=seed)
    if not by_hash_alone:
        return assignment.split_dataset(manifest, config).table["split"]
    points = manifest.table["sha256"].map(lambda content: assignment._point(content, seed))
    splits = np.where(points < _SHARE, "test", np.where(points < 2 * _SHARE, "valid", "train"))
    return pd.Series(splits, dtype="string")


def scores(manifest: DatasetManifest, *, by_hash_alone: bool) -> tuple[float, float, float]:
    """Return the mean deviation of a class's share, the mean number of gaps, and the share of old images that move.

    Args:
        manifest: a data set without splits.
        by_hash_alone: leave out everything but the hash.
    """
    boxes = boxes_of(manifest, scan_column(manifest.table["suffix"]))
    pairs = pd.DataFrame({"row": boxes.row, "name": boxes.name}).drop_duplicates()
    images = manifest.table["image"].unique().tolist()
    deviations, gaps, moved = [], [], []
    for seed in _SEEDS:
        split = _dealt(manifest, seed, by_hash_alone=by_hash_alone)
        count = pd.crosstab(pairs["name"], split.to_numpy()[pairs["row"]]).reindex(
            columns=["valid", "test"], fill_value=0
        )
        size = pairs.groupby("name").size()
        due = size * _SHARE >= 0.5
        deviations.append(float(np.abs(count.div(size, axis=0)[due].to_numpy() - _SHARE).mean()))
        gaps.append(int((count[due].to_numpy() == 0).sum()))
        old = manifest.table["image"].isin(random.Random(seed).sample(images, len(images) // 2))
        before = _dealt(manifest.replace_rows(manifest.table[old]), seed, by_hash_alone=by_hash_alone)
        moved.append(float((before.to_numpy() != split[old].to_numpy()).mean()))
    return float(np.mean(deviations)), float(np.mean(gaps)), float(np.mean(moved))


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("datasets", nargs="*", default=["builtin:cards"])
    parser.add_argument("--images", type=int, help="take this many of each data set, chosen by their hash")
    arguments = parser.parse_args()
    for source in arguments.datasets:
        given = ingest(DatasetConfig(source=source))
        rows = given.table[given.table["task"] == "<OD>"]
        rows = rows[rows["sha256"].isin(sorted(rows["sha256"].unique())[: arguments.images])]
        manifest = given.replace_rows(rows.assign(split=pd.Series("", index=rows.index, dtype="string")))
        classes = compute_statistics(manifest).overall.classes.counts
        print(f"{source}: {manifest.table['image'].nunique()} images, {len(classes)} classes")
        for title, alone in (("split_dataset", False), ("hash alone", True)):
            deviation, gaps, moved = scores(manifest, by_hash_alone=alone)
            print(
                f"  {title:14} share of a class off by {deviation:.4f}, {gaps:.2f} gaps, {moved:.4%} of the old moved"
            )


if __name__ == "__main__":
    main()
