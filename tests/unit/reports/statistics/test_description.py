"""What is kept of a split data set: scores, a comparison, and a page with its images."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from florence2.datasets.formats import read_dataset
from florence2.datasets.manifest import DatasetManifest
from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.drift import compare
from florence2.datasets.statistics.summary import DatasetStatistics
from florence2.reports.statistics import description
from florence2.reports.statistics.description import Description, describe
from tests.builders import annotation, write_dataset, write_scenes


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> DatasetManifest:
    return read_dataset(write_scenes(tmp_path_factory.mktemp("scenes"), train=3, valid=1, test=2))


@pytest.fixture(scope="module")
def found(scenes: DatasetManifest) -> Description:
    return describe(scenes)


def test_the_splits_of_a_set_are_counted_and_compared(scenes: DatasetManifest, found: Description) -> None:
    assert {name: part.images for name, part in found.statistics.splits.items()} == {"train": 3, "valid": 1, "test": 2}
    train, test = (compute_statistics(scenes.select(split)) for split in ("train", "test"))
    assert found.drift == compare(train, test).to_dict()
    objects = next(feature for feature in found.drift["features"] if feature["name"] == "objects")
    assert (objects["reference_count"], objects["current_count"]) == (3, 2)
    assert found.html.count("data:image/jpeg;base64,") == 6, "an image of each image"
    assert found.drift["sentence"] in found.html


@pytest.fixture
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the page, for its plots take a second."""
    monkeypatch.setattr(description, "render_statistics", lambda *_: "")


@pytest.mark.usefixtures("no_page")
def test_a_reference_replaces_the_training_split(scenes: DatasetManifest, tmp_path: Path) -> None:
    reference = read_dataset(write_dataset(tmp_path, {"train": [annotation()]}))
    drift = describe(scenes, reference).drift
    assert drift == compare(compute_statistics(reference), compute_statistics(scenes)).to_dict()
    assert drift["classes"]["went"] == ["cat"]
    assert drift["classes"]["came"]


def test_scores_survive_json(found: Description) -> None:
    assert DatasetStatistics.from_dict(json.loads(json.dumps(found.statistics.to_dict()))) == found.statistics
    assert json.loads(json.dumps(found.drift)) == found.drift


@pytest.mark.usefixtures("no_page")
def test_a_set_without_a_test_split_has_nothing_to_compare(tmp_path: Path) -> None:
    found = describe(read_dataset(write_dataset(tmp_path, {"train": [annotation()]})))
    assert {feature["verdict"] for feature in found.drift["features"]} == {"absent"}
    assert found.drift["verdict"] == "stable"


@pytest.mark.usefixtures("no_page")
def test_a_set_is_measured_once(scenes: DatasetManifest, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[int] = []

    def count(rows: DatasetManifest) -> DatasetStatistics:
        measured.append(len(rows))
        return compute_statistics(rows)

    monkeypatch.setattr(description, "compute_statistics", count)
    describe(scenes)
    assert measured == [len(scenes)]
