"""Training, validation and test split: those given, or seeded ones by the content of the images.

So that no image changes its split when others are added, its split depends only on the hash of its content. So each
class, like the whole set, has its shares on average only, with the variation of chance. Exact shares would move old
images with every addition, and where a training image becomes a test image, older models are scored on what they were
trained on. Chance fails for a class of few images: only there images are moved, so that each split that should have
one has one. In a tiny set chance would fail for the splits themselves, so its shares are exact.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from florence2.codec import scan_column
from florence2.config import SplitConfig
from florence2.datasets.boxes import boxes_of, tidy
from florence2.datasets.checks.image_groups import image_groups
from florence2.datasets.manifest import SPLITS, DatasetManifest
from florence2.datasets.splits.frozen_test import FrozenTest
from florence2.errors import DatasetError

__all__ = ["TINY", "split_dataset"]

TINY = 30
"""Groups of images below which shares are exact."""

_EVERY = ""
"""The label that all images have."""


def split_dataset(manifest: DatasetManifest, config: SplitConfig, frozen: FrozenTest | None = None) -> DatasetManifest:
    """Give every row a split.

    A split that is given stays as it is. Rows without one are assigned, and a validation or test split that is not
    given is made of rows of the training split. Identical and near-identical images form a group, and a group is in one
    split; rows without a split that are near-identical to an image of a given split get that split. The split of a
    group depends only on the seed and the smallest content hash of its images. So the order of the rows does not
    matter, and images that are added later move none of the old ones, with two exceptions:

    - A new image that is near-identical to old ones decides about their group if its hash is the smallest (one chance
      in the number of images); so does one that joins two groups. The old images then move with it.
    - A class that should have an image in a split (its share, rounded, is at least one), or any image in training, and
      has none there by chance, gets one from another split, until a new image fills the gap. At shares of 0.1 that
      happens to classes of 5 to about 40 images. A split that would be empty gets one too.

    With a frozen test split neither happens to the test split. A set of fewer than ``TINY`` groups of images has exact
    shares instead, at least one group for each split: chance would leave little for training, or nothing for a split.

    Args:
        manifest: the data set.
        config: the shares of the images that are to be assigned, and the seed.
        frozen: the images of the test split; no other image is in it.

    Returns:
        The same rows in the same order, each in train, valid or test.

    Raises:
        DatasetError: a split would be empty, or the frozen test split does not fit the data set.
    """
    given = manifest.table["split"]
    group = image_groups(manifest)
    if frozen is not None:
        given = frozen.split_rows(manifest, group)
    fractions = {"test": config.test_fraction, "valid": config.valid_fraction}
    missing = [split for split in fractions if not (given == split).any()]
    pool = (given == "") | ((given == "train") & bool(missing))
    # A later split wins: an image that is in the given test split is not trained on.
    fixed = ("train", "valid", "test") if not missing else ("valid", "test")
    held = {key: split for split in fixed for key in group[given == split].unique()}
    free = pool & ~group.isin(list(held))
    labels = _labels(manifest, group, free)
    if group.nunique() < TINY:
        assigned = _share_out(group[free].unique().tolist(), group.nunique(), fractions, missing, config.split_seed)
    else:
        assigned = _assign(group[free].unique().tolist(), labels, fractions, missing, config.split_seed)
    # A training image that is near-identical to one of a given test split stays: a given test split gets no images.
    stays = (given != "") & ~free
    return _checked(manifest, given.where(stays, group.map(held | assigned)), config)


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


def _assign(
    groups: Iterable[str],
    members: Mapping[str, list[str]],
    fractions: Mapping[str, float],
    missing: Collection[str],
    seed: int,
) -> dict[str, str]:
    """Assign each group a split by its own name; what is beyond all fractions is for training.

    A split that is there already keeps its part of the hashes: otherwise images would move from the validation split to
    that part when the test split is frozen.

    Args:
        groups: names of the groups of images.
        members: the groups that have each label.
        fractions: share of each held-out split.
        missing: the splits to be made; a group in the part of another one is for training.
        seed: seed of the hash.

    Returns:
        The split of each group.
    """
    points = {name: _point(name, seed) for name in groups}
    splits = dict.fromkeys(points, "train")
    for name, point in points.items():
        bound = 0.0
        for split, fraction in fractions.items():
            bound += fraction
            if point < bound:
                splits[name] = split if split in missing else "train"
                break
    if missing:
        _fill_gaps(splits, points, members, {split: fractions[split] for split in fractions if split in missing})
    return splits


def _share_out(
    groups: Iterable[str], total: int, fractions: Mapping[str, float], missing: Collection[str], seed: int
) -> dict[str, str]:
    """Assign each group of a tiny set a split: the rounded share of all for each held-out split, the rest for training.

    Args:
        groups: names of the groups of images.
        total: number of groups in the whole set, also those that have a split.
        fractions: share of each held-out split.
        missing: the splits to be made.
        seed: seed of the hash.
    """
    ordered = sorted(groups, key=lambda name: _point(name, seed))
    splits = dict.fromkeys(ordered, "train")
    held = 0
    for split in (split for split in fractions if split in missing and fractions[split]):
        count = min(max(1, round(fractions[split] * total)), len(ordered) - held - 1)
        splits.update(dict.fromkeys(ordered[held : held + count], split))
        held += max(0, count)
    return splits


def _fill_gaps(
    splits: dict[str, str],
    points: Mapping[str, float],
    members: Mapping[str, list[str]],
    fractions: Mapping[str, float],
) -> None:
    """Move groups to the splits that lack a label by chance; the rarest label first, the label of all images last."""
    labels_of: dict[str, list[str]] = defaultdict(list)
    for label, names in members.items():
        for name in names:
            labels_of[name].append(label)
    count = {label: Counter(splits[name] for name in names) for label, names in members.items()}
    for label in sorted(members, key=lambda label: (label == _EVERY, len(members[label]), label)):
        size = len(members[label])
        expected = [split for split, share in fractions.items() if share and (label == _EVERY or share * size >= 0.5)]
        for split in (*expected, "train"):
            if not size or count[label][split]:
                continue
            # The train split needs every class most: another split may lose a class to it.
            kept = (_EVERY,) if split == "train" else None
            donor = max(count[label], key=lambda home: (count[label][home], home))
            movable = (
                name
                for name in members[label]
                if splits[name] == donor and all(count[mark][donor] > 1 for mark in kept or labels_of[name])
            )
            moved = min(movable, key=points.__getitem__, default=None)
            if moved is not None:
                splits[moved] = split
                for mark in labels_of[moved]:
                    count[mark].update({donor: -1, split: 1})


def _point(content: str, seed: int) -> float:
    """Return a number in 0..1 that is as good as random and depends only on the content and the seed."""
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
