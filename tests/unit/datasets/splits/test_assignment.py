"""Splits: given ones stay, made ones leak nothing and do not move."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.config import SplitConfig
from florence2.datasets.checks.image_groups import image_groups
from florence2.datasets.manifest import SPLITS, DatasetManifest
from florence2.datasets.splits.assignment import TINY, split_dataset
from florence2.datasets.splits.frozen_test import freeze_test
from florence2.errors import DatasetError
from tests.builders import manifest, signatures


def classed(names: Sequence[Sequence[str]], alike: Mapping[int, str] | None = None) -> DatasetManifest:
    """Return images with a box of each class named; the alike ones have the signature given."""
    box = "<loc_1><loc_2><loc_300><loc_400>"
    # The hash follows the name, so that the same image is in sets of any size.
    rows = [
        {
            "split": "",
            "image": f"{number}.png",
            "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
            "suffix": "".join(name + box for name in of_image),
        }
        for number, of_image in enumerate(names)
    ]
    return manifest(*rows, images={f"{number}.png": {"signature": text} for number, text in (alike or {}).items()})


def unsplit(images: int, rows_each: int = 1, split: str = "") -> DatasetManifest:
    return manifest(*({"split": split, "sha256": f"{image:064x}"} for image in range(images) for _ in range(rows_each)))


def by_content(made: DatasetManifest) -> dict[str, str]:
    """Return the split of each image; fails if an image is in two."""
    pairs = set(zip(made.table["sha256"], made.table["split"], strict=True))
    assert len(pairs) == made.table["sha256"].nunique()
    return dict(pairs)


def config(valid: float = 0.2, test: float = 0.2, seed: int = 0) -> SplitConfig:
    return SplitConfig(valid_fraction=valid, test_fraction=test, split_seed=seed)


def test_given_splits_stay() -> None:
    full = manifest({"split": "train"}, {"split": "valid"}, {"split": "test"})
    assert split_dataset(full, config()).fingerprint == full.fingerprint


def test_shares_are_about_those_requested() -> None:
    found = list(by_content(split_dataset(unsplit(2000), config(0.1, 0.2))).values())
    assert abs(found.count("valid") - 200) < 60
    assert abs(found.count("test") - 400) < 80


@settings(max_examples=25)
@given(st.integers(3, 60), st.integers(1, 3), st.integers(0, 5))
def test_rows_of_an_image_stay_together_and_no_split_is_empty(images: int, rows_each: int, seed: int) -> None:
    made = split_dataset(unsplit(images, rows_each), config(seed=seed))
    assert set(by_content(made).values()) == {"train", "valid", "test"}


@pytest.mark.parametrize(
    ("images", "share", "counts"),
    [
        (3, 0.1, (1, 1, 1)),
        (3, 0.2, (1, 1, 1)),
        (4, 0.2, (2, 1, 1)),
        (10, 0.1, (8, 1, 1)),
        (10, 0.2, (6, 2, 2)),
        (20, 0.1, (16, 2, 2)),
        (TINY - 1, 0.2, (17, 6, 6)),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_tiny_set_has_exact_shares(images: int, share: float, counts: tuple[int, int, int], seed: int) -> None:
    shares = config(share, share, seed)
    whole = split_dataset(unsplit(images), shares)
    assert tuple(int((whole.table["split"] == split).sum()) for split in SPLITS) == counts
    # A frozen test split leaves the others as they are.
    again = split_dataset(unsplit(images), shares, freeze_test(whole))
    assert again.table["split"].tolist() == whole.table["split"].tolist()


def test_order_of_the_rows_does_not_matter_and_the_seed_does() -> None:
    rows = [{"split": "", "sha256": f"{image:064x}"} for image in range(50)]
    forward = by_content(split_dataset(manifest(*rows), config()))
    assert by_content(split_dataset(manifest(*reversed(rows)), config())) == forward
    assert by_content(split_dataset(manifest(*rows), config(seed=1))) != forward


def test_images_added_later_move_none() -> None:
    small = by_content(split_dataset(unsplit(60), config()))
    large = by_content(split_dataset(unsplit(600), config()))
    assert small.items() <= large.items()


@pytest.mark.parametrize(("given_split", "made_split"), [("valid", "test"), ("test", "valid")])
def test_a_missing_held_out_split_is_made_of_training_images(given_split: str, made_split: str) -> None:
    rows = [{"split": "train"} for _ in range(40)] + [{"split": given_split} for _ in range(5)]
    made = split_dataset(manifest(*rows), config()).table["split"]
    assert (made.iloc[40:] == given_split).all()
    assert set(made.iloc[:40]) == {"train", made_split}


def test_rows_without_a_split_follow_their_image_else_they_train() -> None:
    rows = [{"split": split, "sha256": split} for split in ("train", "valid", "test")]
    rows += [{"split": "", "sha256": content} for content in ("valid", "test", "new")]
    made = split_dataset(manifest(*rows), config())
    assert made.table["split"].tolist()[3:] == ["valid", "test", "train"]


@pytest.mark.parametrize(
    ("images", "settings", "split"),
    [(2, config(), "valid"), (10, config(test=0.0), "test"), (10, config(valid=0.0), "valid")],
)
def test_an_empty_split_is_an_error(images: int, settings: SplitConfig, split: str) -> None:
    with pytest.raises(DatasetError, match=f"/data: the split {split} would be empty with {images} images"):
        split_dataset(unsplit(images), settings)


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_no_old_image_moves_while_every_class_is_common(data: st.DataObject) -> None:
    class_of = ["cat", "dog", "bird"]
    old = [[class_of[number % 3]] for number in range(240)]
    more = st.lists(st.lists(st.sampled_from([*class_of, "new"]), max_size=3, unique=True), max_size=40)
    before = split_dataset(classed(old), config()).table["split"].tolist()
    after = split_dataset(classed([*old, *data.draw(more)]), config()).table["split"].tolist()
    assert after[:240] == before


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(2, 12), st.integers(1, 4))
def test_near_identical_images_go_together(seed: int, groups: int, copies: int) -> None:
    alike = dict(enumerate(signatures(groups, seed) * copies))
    made = split_dataset(classed([["cat"]] * (len(alike) + 20), alike), config(seed=seed))
    found = made.table["split"].tolist()
    assert [found[number] for number in alike] == found[:groups] * copies


def test_a_new_image_moves_a_group_only_if_its_hash_is_the_smallest() -> None:
    alike = signatures(1)[0]
    before = split_dataset(classed([["cat"]] * 60, {3: alike, 4: alike}), config())
    moved = 0
    for newcomer in range(60, 75):
        after = split_dataset(classed([["cat"]] * (newcomer + 1), {3: alike, 4: alike, newcomer: alike}), config())
        contents = after.table["sha256"]
        if contents[newcomer] > min(contents[3], contents[4]):
            assert after.table["split"].tolist()[:60] == before.table["split"].tolist()
            assert after.table["split"][newcomer] == after.table["split"][3]
        else:
            moved += 1
    assert 0 < moved < 15


@pytest.mark.parametrize("home", ["valid", "test"])
def test_a_near_identical_image_follows_the_given_split(home: str) -> None:
    rows = [{"split": split, "image": f"{split}.png"} for split in ("train", "valid", "test")]
    rows += [{"split": "", "image": f"{number}.png"} for number in range(4)]
    texts = signatures(2)
    images = {
        f"{home}.png": {"signature": texts[0]},
        "1.png": {"signature": texts[0]},
        "2.png": {"signature": texts[1]},
    }
    images["train.png"] = {"signature": texts[1]}
    made = split_dataset(manifest(*rows, images=images), config())
    assert made.table["split"].tolist() == ["train", "valid", "test", "train", home, "train", "train"]


def test_a_given_test_split_gets_no_images() -> None:
    rows = [{"split": "train", "image": f"{number}.png"} for number in range(30)]
    rows += [{"split": "test", "image": "t.png"}]
    alike = signatures(1)[0]
    images = {name: {"signature": alike} for name in ("7.png", "t.png")}
    made = split_dataset(manifest(*rows, images=images), config())
    assert made.select("test").table["image"].tolist() == ["t.png"]
    assert made.table["split"].tolist()[7] == "train"
    assert "valid" in set(made.table["split"])


@pytest.mark.parametrize("seed", range(5))
def test_a_rare_class_is_in_every_split_that_should_have_one(seed: int) -> None:
    names = [["common"]] * 200 + [["common", "rare"]] * 5 + [["alone"]] * 2
    made = split_dataset(classed(names), config(0.1, 0.1, seed))
    found = Counter(zip(made.table["split"], (tuple(n) for n in names), strict=True))
    assert {split for split in ("train", "valid", "test") if found[split, ("common", "rare")]} == {
        "train",
        "valid",
        "test",
    }
    assert found["train", ("alone",)] >= 1
    assert 8 <= sum(count for (split, _), count in found.items() if split == "test") <= 36


def test_tasks_without_boxes_are_spread_too() -> None:
    rows = [{"split": "", "task": "<OD>"}] * 100
    rows += [{"split": "", "task": "<VQA>", "prefix": "<VQA>what is it?", "suffix": "a cat"}] * 5
    made = split_dataset(manifest(*rows), config(0.1, 0.1))
    assert set(made.table["split"][100:]) == {"train", "valid", "test"}


def test_groups_are_named_by_their_smallest_content() -> None:
    texts = signatures(2)
    rows = [{"sha256": content, "image": f"{content}.png"} for content in ("c", "a", "b", "", "a")]
    images = {"c.png": {"signature": texts[0]}, "b.png": {"signature": texts[0]}, "a.png": {"signature": texts[1]}}
    assert image_groups(manifest(*rows, images=images)).tolist() == ["b", "a", "b", ".png", "a"]
