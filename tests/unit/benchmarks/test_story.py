from __future__ import annotations

from pathlib import Path

from benchmarks.story import mislabel, write_cards
from florence2.config import DatasetConfig
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import DatasetManifest


def read(folder: Path) -> DatasetManifest:
    return ingest(DatasetConfig(source=str(folder)))


def test_more_data_and_wrong_labels_leave_the_test_split_as_it_is(tmp_path: Path) -> None:
    write_cards(tmp_path / "cards", 5)
    few = read(tmp_path / "cards")
    write_cards(tmp_path / "cards", 8, mislabel)
    poisoned = read(tmp_path / "cards")
    assert few.select("train").table["image"].nunique() == 5
    assert poisoned.select("train").table["image"].nunique() == 8
    assert few.select("test").fingerprint == poisoned.select("test").fingerprint
    right, wrong = few.select("valid").table, poisoned.select("valid").table
    boxes = right["task"] == "<OD>"
    assert (right["suffix"] != wrong["suffix"]).tolist() == boxes.tolist()


def test_a_wrong_label_is_well_formed() -> None:
    line = {"image": "a.png", "prefix": "<OD>", "suffix": "ace of clubs<loc_1><loc_2><loc_3><loc_4>"}
    changed = mislabel(line)["suffix"]
    assert changed.endswith("<loc_1><loc_2><loc_3><loc_4>")
    assert not changed.startswith("ace of clubs<")
    question = {"image": "a.png", "prefix": "<VQA>how many?", "suffix": "1"}
    assert mislabel(question) == question
