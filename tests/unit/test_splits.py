"""Splits: given ones stay, made ones leak nothing and do not move, and the folder's hash follows its content."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.config import SplitConfig
from florence2.data.fingerprint import fingerprint_folder
from florence2.data.manifest import DatasetManifest
from florence2.data.splits import split_dataset
from florence2.errors import DatasetError
from tests.builders import annotation, manifest, write_dataset, write_image


def unsplit(images: int, rows_each: int = 1, split: str = "") -> DatasetManifest:
    return manifest(*({"split": split, "sha256": f"{image:064x}"} for image in range(images) for _ in range(rows_each)))


def by_content(made: DatasetManifest) -> dict[str, str]:
    """Return the split of each picture; fails if a picture is in two."""
    pairs = set(zip(made.table["sha256"], made.table["split"], strict=True))
    assert len(pairs) == made.table["sha256"].nunique()
    return dict(pairs)


def config(valid: float = 0.2, test: float = 0.2, seed: int = 0) -> SplitConfig:
    return SplitConfig(valid_fraction=valid, test_fraction=test, split_seed=seed)


def test_given_splits_stay() -> None:
    full = manifest({"split": "train"}, {"split": "valid"}, {"split": "test"})
    assert split_dataset(full, config()).fingerprint == full.fingerprint


def test_shares_are_about_those_asked_for() -> None:
    places = list(by_content(split_dataset(unsplit(2000), config(0.1, 0.2))).values())
    assert abs(places.count("valid") - 200) < 60
    assert abs(places.count("test") - 400) < 80


@settings(max_examples=25)
@given(st.integers(3, 60), st.integers(1, 3), st.integers(0, 5))
def test_rows_of_a_picture_stay_together_and_no_split_is_empty(images: int, rows_each: int, seed: int) -> None:
    made = split_dataset(unsplit(images, rows_each), config(seed=seed))
    assert set(by_content(made).values()) == {"train", "valid", "test"}


def test_order_of_the_rows_does_not_matter_and_the_seed_does() -> None:
    rows = [{"split": "", "sha256": f"{image:064x}"} for image in range(50)]
    forward = by_content(split_dataset(manifest(*rows), config()))
    assert by_content(split_dataset(manifest(*reversed(rows)), config())) == forward
    assert by_content(split_dataset(manifest(*rows), config(seed=1))) != forward


def test_pictures_added_later_move_none() -> None:
    small = by_content(split_dataset(unsplit(60), config()))
    large = by_content(split_dataset(unsplit(600), config()))
    assert small.items() <= large.items()


@pytest.mark.parametrize(("given_split", "made_split"), [("valid", "test"), ("test", "valid")])
def test_a_missing_held_out_split_comes_out_of_training(given_split: str, made_split: str) -> None:
    rows = [{"split": "train"} for _ in range(40)] + [{"split": given_split} for _ in range(5)]
    made = split_dataset(manifest(*rows), config()).table["split"]
    assert (made.iloc[40:] == given_split).all()
    assert set(made.iloc[:40]) == {"train", made_split}


def test_rows_without_a_split_follow_their_picture_else_they_train() -> None:
    rows = [{"split": split, "sha256": split} for split in ("train", "valid", "test")]
    rows += [{"split": "", "sha256": content} for content in ("valid", "test", "new")]
    made = split_dataset(manifest(*rows), config())
    assert made.table["split"].tolist()[3:] == ["valid", "test", "train"]


@pytest.mark.parametrize(
    ("images", "settings", "split"),
    [(2, config(), "test"), (10, config(test=0.0), "test"), (10, config(valid=0.0), "valid")],
)
def test_an_empty_split_is_an_error(images: int, settings: SplitConfig, split: str) -> None:
    with pytest.raises(DatasetError, match=f"/data: the split {split} would be empty with {images} images"):
        split_dataset(unsplit(images), settings)


class TestFolderFingerprint:
    def test_follows_a_hidden_picture(self, tmp_path: Path) -> None:
        root = write_dataset(tmp_path, {"train": [annotation(".a.png")]})
        before = fingerprint_folder(root)
        write_image(root / "train" / ".a.png", color=(1, 2, 3))
        assert fingerprint_folder(root) != before

    def test_does_not_depend_on_place_time_or_leftovers(self, tmp_path: Path) -> None:
        first = fingerprint_folder(write_dataset(tmp_path / "one"))
        (tmp_path / "one").rename(tmp_path / "two")
        (tmp_path / "two/train/.DS_Store").write_text("x")
        (tmp_path / "two/.git").mkdir()
        (tmp_path / "two/.git/HEAD").write_text("x")
        (tmp_path / "two/train/a.png").touch()
        assert fingerprint_folder(tmp_path / "two") == first

    def test_follows_bytes_names_and_presence(self, tmp_path: Path) -> None:
        root = write_dataset(tmp_path)
        prints = [fingerprint_folder(root)]
        image = root / "train/a.png"
        data = bytearray(image.read_bytes())
        data[-1] ^= 1
        image.write_bytes(bytes(data))
        prints.append(fingerprint_folder(root))
        image.rename(root / "train/b.png")
        prints.append(fingerprint_folder(root))
        (root / "test/annotations.jsonl").unlink()
        prints.append(fingerprint_folder(root))
        assert len(set(prints)) == 4

    def test_follows_links_once_and_ends(self, tmp_path: Path) -> None:
        root = write_dataset(tmp_path / "set")
        (root / "train/loop").symlink_to(root)
        outside = write_dataset(tmp_path / "outside")
        (root / "more").symlink_to(outside)
        first = fingerprint_folder(root)
        (outside / "train/annotations.jsonl").write_text("changed")
        assert fingerprint_folder(root) != first

    def test_a_missing_folder(self, tmp_path: Path) -> None:
        with pytest.raises(DatasetError, match="no such folder"):
            fingerprint_folder(tmp_path / "nowhere")
