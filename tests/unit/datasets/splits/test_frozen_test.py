"""A frozen test split: its images go to test, no other does, and whatever does not fit is listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.config import SplitConfig
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.splits.assignment import split_dataset
from florence2.datasets.splits.frozen_test import (
    FrozenTest,
    freeze_test,
    frozen_content,
    load_frozen,
    load_frozen_test,
)
from florence2.errors import DatasetError
from tests.builders import manifest, signatures

CONFIG = SplitConfig(valid_fraction=0.2, test_fraction=0.2)


def images(count: int, split: str = "") -> DatasetManifest:
    return manifest(*({"split": split, "sha256": f"{number:064x}"} for number in range(count)))


def test_freezing_a_made_split_keeps_it_whatever_is_added() -> None:
    first = split_dataset(images(30), CONFIG)
    frozen = freeze_test(first)
    later = split_dataset(images(300), CONFIG, frozen)
    assert set(later.select("test").table["sha256"]) == set(frozen.images)
    assert set(first.select("test").table["sha256"]) == set(frozen.images)
    assert set(later.table["split"]) == {"train", "valid", "test"}


def test_freezing_moves_no_image() -> None:
    first = split_dataset(images(200), CONFIG)
    again = split_dataset(images(200), CONFIG, freeze_test(first))
    assert again.table["split"].tolist() == first.table["split"].tolist()


@pytest.mark.parametrize("given", [("train",), ("train", "valid")])
def test_a_test_split_that_was_made_of_the_training_split_can_be_frozen(given: tuple[str, ...]) -> None:
    rows = [{"split": given[number % len(given)], "sha256": f"{number:064x}"} for number in range(60)]
    first = split_dataset(manifest(*rows), CONFIG)
    again = split_dataset(manifest(*rows), CONFIG, freeze_test(first))
    assert again.table["split"].tolist() == first.table["split"].tolist()


def test_names_are_those_of_the_first_path_and_hashes_are_sorted() -> None:
    rows = [{"split": "test", "sha256": "b" * 64, "image": name} for name in ("test/z.png", "test/y.png")]
    frozen = freeze_test(manifest({"sha256": "0" * 64}, *rows, {"split": "test", "sha256": "a" * 64}))
    assert list(frozen.images) == ["a" * 64, "b" * 64]
    assert frozen.images["b" * 64] == "test/y.png"


@settings(max_examples=20)
@given(st.dictionaries(st.text("0123456789abcdef", min_size=64, max_size=64), st.text(max_size=20), max_size=5))
def test_save_and_load(tmp_path_factory: pytest.TempPathFactory, images: dict[str, str]) -> None:
    file = tmp_path_factory.mktemp("frozen") / "deeper" / "test.json"
    frozen = FrozenTest(images)
    frozen.save(file)
    before = file.read_bytes()
    assert load_frozen_test(file).images == images
    FrozenTest(dict(reversed(images.items()))).save(file)
    assert file.read_bytes() == before
    assert [path.name for path in file.parent.iterdir()] == ["test.json"]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "x"}', "\x00", '{"format": "florence2-frozen-test/1", "images": 3}', "[" * 10**5],
)
def test_what_cannot_be_loaded(tmp_path: Path, text: str) -> None:
    file = tmp_path / "test.json"
    file.write_text(text)
    with pytest.raises(DatasetError, match=r"test\.json: not a frozen test split .*florence2 freeze"):
        load_frozen_test(file)
    with pytest.raises(DatasetError, match="not a frozen test split"):
        load_frozen_test(tmp_path / "nowhere.json")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "test.json"
    FrozenTest({"a" * 64: "test/a.png"}).save(file)
    content = json.loads(file.read_text())
    content["images"]["b" * 64] = "test/b.png"
    file.write_text(json.dumps(content))
    with pytest.raises(DatasetError, match="not those of its fingerprint"):
        load_frozen_test(file)


def test_settings_name_the_file(tmp_path: Path) -> None:
    frozen = FrozenTest({"a" * 64: "test/a.png"})
    frozen.save(tmp_path / "test.json")
    named = SplitConfig(frozen_test=str(tmp_path / "test.json"))
    assert load_frozen(named) == frozen
    assert frozen_content(named) == frozen.fingerprint
    assert load_frozen(CONFIG) is None
    assert frozen_content(CONFIG) == ""


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(DatasetError, match=r"cannot be written .*give another file"):
        FrozenTest({}).save(tmp_path / "file" / "test.json")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DatasetError, match="cannot be written"):
        FrozenTest({}).save(tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_every_misfit_is_listed() -> None:
    frozen = FrozenTest({letter * 64: f"test/{letter}.png" for letter in "abc"})
    one, other = signatures(2)
    rows = [
        {"split": "train", "sha256": "a" * 64, "image": "train/a.png"},
        {"split": "", "sha256": "b" * 64, "image": "b.png"},
        {"split": "valid", "sha256": "d" * 64, "image": "valid/near_b.png"},
        {"split": "test", "sha256": "e" * 64, "image": "test/new.png"},
        {"split": "train", "sha256": "f" * 64, "image": "train/f.png"},
    ]
    images = {"b.png": {"signature": one}, "valid/near_b.png": {"signature": one}, "train/f.png": {"signature": other}}
    with pytest.raises(DatasetError) as caught:
        split_dataset(manifest(*rows, images=images), CONFIG, frozen)
    message = str(caught.value)
    assert "left out by validation (put them back as they were): 1\n    test/c.png (sha256 cccccccccccc)" in message
    assert "in a split that is not test (move them to test/): 1\n    train/a.png (train/annotations.jsonl:1)" in message
    assert "not frozen (remove them): 1\n    valid/near_b.png (train/annotations.jsonl:3)" in message
    assert "not frozen (move them out of test/): 1\n    test/new.png (train/annotations.jsonl:4)" in message
    assert "train/f.png" not in message


def test_long_lists_are_cut() -> None:
    frozen = FrozenTest({f"{number:064x}": f"{number}.png" for number in range(1000, 1050)})
    with pytest.raises(DatasetError, match=r"as they were\): 50\n(.*\n){20}.*and 30 more"):
        split_dataset(images(5), CONFIG, frozen)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{}], "no test split to freeze"),
        ([{"split": "test", "sha256": ""}], r"cannot be read: 1\n    train/1.png"),
        ([{"sha256": "a"}, {"split": "test", "sha256": "a"}], r"also in another split: 1\n    train/2.png"),
    ],
)
def test_what_cannot_be_frozen(rows: list[dict[str, str]], reason: str) -> None:
    with pytest.raises(DatasetError, match=reason):
        freeze_test(manifest(*rows))
