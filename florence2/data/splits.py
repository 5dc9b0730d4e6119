"""Training, validation and test split: those given, or seeded ones by the content of the images."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping

import pandas as pd

from florence2.config import SplitConfig
from florence2.data.manifest import SPLITS, DatasetManifest
from florence2.errors import DatasetError

__all__ = ["split_dataset"]


def split_dataset(manifest: DatasetManifest, config: SplitConfig) -> DatasetManifest:
    """Give every row a split.

    A split that is given stays as it is. Rows without one are dealt out, and a validation or test split that is not
    given is taken out of the training split. All rows of one picture (by the hash of its file) go together. A picture
    is placed by the hash of its content and the seed, so the order of the rows does not matter, and pictures added
    later move none of the old ones, except that a split that a small set left empty takes one picture of another.

    Args:
        manifest: the data set.
        config: the shares of the pictures that are to be dealt out, and the seed.

    Returns:
        The same rows in the same order, each in train, valid or test.

    Raises:
        DatasetError: a split would be empty.
    """
    given = manifest.table["split"]
    content = manifest.table["sha256"].where(manifest.table["sha256"] != "", manifest.table["image"])
    # A picture of a held-out split that was given stays there, with all of its rows that have no split.
    held = {key: split for split in ("valid", "test") for key in content[given == split].unique()}
    wanted = {"test": config.test_fraction, "valid": config.valid_fraction}
    missing = {split: fraction for split, fraction in wanted.items() if not (given == split).any()}
    pool = (given == "") | ((given == "train") & bool(missing))
    free = [key for key in content[pool].unique() if key not in held]
    places = held | _deal(free, missing, config.split_seed)
    return _checked(manifest, given.where(~pool, content.map(places)), config)


def _deal(contents: list[str], fractions: Mapping[str, float], seed: int) -> dict[str, str]:
    """Place each picture by its own hash alone; what no fraction takes is for training."""
    points = {content: _point(content, seed) for content in contents}
    placed = dict.fromkeys(contents, "train")
    for content, point in points.items():
        bound = 0.0
        for split, fraction in fractions.items():
            bound += fraction
            if point < bound:
                placed[content] = split
                break
    for split in (*(split for split, fraction in fractions.items() if fraction > 0), "train"):
        _fill_if_empty(split, placed, points)
    return placed


def _fill_if_empty(split: str, placed: dict[str, str], points: Mapping[str, float]) -> None:
    """Give a split that chance left empty one picture of the largest, as happens to a dozen pictures."""
    sizes = Counter(placed.values())
    if not sizes or split in sizes:
        return
    donor, size = max(sizes.items(), key=lambda item: (item[1], item[0]))
    if size > 1:
        placed[min((key for key, home in placed.items() if home == donor), key=points.__getitem__)] = split


def _point(content: str, seed: int) -> float:
    """Return a number in 0..1 that is as good as random and depends on the content and the seed only."""
    digest = hashlib.sha256(f"{seed}:{content}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _checked(manifest: DatasetManifest, split: pd.Series[str], config: SplitConfig) -> DatasetManifest:
    counts = {name: int((split == name).sum()) for name in SPLITS}
    empty = [name for name, rows in counts.items() if not rows]
    if empty:
        images = manifest.table["image"].nunique()
        raise DatasetError(
            f"{manifest.root}: the split {empty[0]} would be empty with {images} images, "
            f"valid_fraction {config.valid_fraction} and test_fraction {config.test_fraction}; "
            f"give {empty[0]}/ in the data set, add images, or raise the fraction"
        )
    return DatasetManifest(manifest.root, manifest.table.assign(split=split.astype("string")))
