"""Training, validation and test split: those given, or seeded ones by the content of the images.

A split that never moves an image when others are added can only look at that image: its place is a hash. So shares
hold by expectation, of every class as of the whole, with the scatter of chance. Exact shares would move old images
with every addition, and a training image that turns into a test image makes the scores of older models a lie. What
chance cannot be trusted with is a class of few images: there, and only there, images are moved so that each split
that is due one has one.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from florence2.codec import scan_column
from florence2.config import SplitConfig
from florence2.datasets.checks.boxes import boxes_of, tidy
from florence2.datasets.checks.image_groups import image_groups
from florence2.datasets.manifest import SPLITS, DatasetManifest
from florence2.datasets.splits.frozen_test import FrozenTest
from florence2.errors import DatasetError

__all__ = ["split_dataset"]

_EVERY = ""
"""The label that all images have."""


def split_dataset(manifest: DatasetManifest, config: SplitConfig, frozen: FrozenTest | None = None) -> DatasetManifest:
    """Give every row a split.

    A split that is given stays as it is. Rows without one are dealt out, and a validation or test split that is not
    given is taken out of the training split. All rows of identical and near-identical images go together; those
    without a split that are near-identical to an image of a given split go there. A group is placed by the seed and
    the smallest content hash of its images alone, so the order of the rows does not matter, and images added later
    move none of the old ones, with two exceptions:

    - A newcomer that is near-identical to old images takes their group over if its hash is the smallest (one chance
      in the number of images); so does one that ties two groups together. The old ones then go where it goes.
    - A class that is due an image in a split (its share, rounded, is at least one), or any image in training, and
      has none there by chance, is lent one; it goes back when a newcomer fills the gap. At shares of 0.1 that happens
      to classes of 5 to about 40 images. So does a split that would be empty.

    A frozen test split rules both out for the test.

    Args:
        manifest: the data set.
        config: the shares of the images that are to be dealt out, and the seed.
        frozen: the images of the test split; no other goes there.

    Returns:
        The same rows in the same order, each in train, valid or test.

    Raises:
        DatasetError: a split would be empty, or the frozen test split does not fit the data set.
    """
    given = manifest.table["split"]
    group = image_groups(manifest)
    if frozen is not None:
        given = frozen.applied(manifest, group)
    fractions = {"test": config.test_fraction, "valid": config.valid_fraction}
    missing = [split for split in fractions if not (given == split).any()]
    pool = (given == "") | ((given == "train") & bool(missing))
    # Later ones overrule: an image that is in the given test split is not trained on again.
    fixed = ("train", "valid", "test") if not missing else ("valid", "test")
    held = {key: split for split in fixed for key in group[given == split].unique()}
    free = pool & ~group.isin(list(held))
    labels = _labels(manifest, group, free)
    dealt = _deal(group[free].unique().tolist(), labels, fractions, missing, config.split_seed)
    # A training image that is like one of a given test stays: a test that somebody gave is never added to.
    stays = (given != "") & ~free
    return _checked(manifest, given.where(stays, group.map(held | dealt)), config)


def _labels(manifest: DatasetManifest, group: pd.Series[str], chosen: pd.Series[bool]) -> dict[str, list[str]]:
    """Return the groups of images of each label among the chosen rows: classes of boxes, else the task."""
    boxes = boxes_of(manifest, scan_column(manifest.table["suffix"]))
    names = np.array([*map(tidy, boxes.names), _EVERY], dtype=object)
    named = pd.DataFrame({"group": group.iloc[boxes.row].to_numpy(), "label": names[boxes.name]})
    rest = ~np.isin(np.arange(len(manifest)), boxes.row)
    others = pd.DataFrame({"group": group[rest].to_numpy(), "label": manifest.table.loc[rest, "task"].to_numpy()})
    pairs = pd.concat([named[chosen.to_numpy()[boxes.row]], others[chosen[rest].to_numpy()]]).drop_duplicates()
    members: dict[str, list[str]] = {str(label): keys.tolist() for label, keys in pairs.groupby("label")["group"]}
    return members | {_EVERY: group[chosen].unique().tolist()}


def _deal(
    groups: Iterable[str],
    members: Mapping[str, list[str]],
    fractions: Mapping[str, float],
    missing: Collection[str],
    seed: int,
) -> dict[str, str]:
    """Place each group by its own name; what no fraction takes is for training.

    A split that is there already keeps its part of the hashes to itself: else the validation split would move into it
    on the day that the test split is frozen.

    Args:
        groups: names of the groups of images.
        members: the groups that have each label.
        fractions: share of each held-out split.
        missing: the splits to be made; what falls into another one is for training.
        seed: of the hash.
    """
    points = {name: _point(name, seed) for name in groups}
    placed = dict.fromkeys(points, "train")
    for name, point in points.items():
        bound = 0.0
        for split, fraction in fractions.items():
            bound += fraction
            if point < bound:
                placed[name] = split if split in missing else "train"
                break
    if missing:
        _lend(placed, points, members, {split: fractions[split] for split in fractions if split in missing})
    return placed


def _lend(
    placed: dict[str, str],
    points: Mapping[str, float],
    members: Mapping[str, list[str]],
    fractions: Mapping[str, float],
) -> None:
    """Move groups to where chance left a label out that is due there; the rarest label first, all images last."""
    labels_of: dict[str, list[str]] = defaultdict(list)
    for label, names in members.items():
        for name in names:
            labels_of[name].append(label)
    count = {label: Counter(placed[name] for name in names) for label, names in members.items()}
    for label in sorted(members, key=lambda label: (label == _EVERY, len(members[label]), label)):
        size = len(members[label])
        due = [split for split, share in fractions.items() if share and (label == _EVERY or share * size >= 0.5)]
        for split in (*due, "train"):
            if not size or count[label][split]:
                continue
            # What is trained on matters most: a class may leave the held-out splits for it.
            kept = (_EVERY,) if split == "train" else None
            donor = max(count[label], key=lambda home: (count[label][home], home))
            able = (
                name
                for name in members[label]
                if placed[name] == donor and all(count[mark][donor] > 1 for mark in kept or labels_of[name])
            )
            lent = min(able, key=points.__getitem__, default=None)
            if lent is not None:
                placed[lent] = split
                for mark in labels_of[lent]:
                    count[mark].update({donor: -1, split: 1})


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
            f"{manifest.name}: the split {empty[0]} would be empty with {images} images, "
            f"valid_fraction {config.valid_fraction} and test_fraction {config.test_fraction}; "
            f"give {empty[0]}/ in the data set, add images, or raise the fraction"
        )
    return manifest.replace_rows(manifest.table.assign(split=split.astype("string")))
