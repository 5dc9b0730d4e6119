"""Statistics as JSON values, and of one split."""

from __future__ import annotations

import json
from typing import Any

import pytest

from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.summary import DatasetStatistics, PartStatistics
from florence2.errors import DatasetError
from tests.builders import manifest


def test_a_set_is_named_by_the_end_of_its_path_and_its_only_split() -> None:
    found = compute_statistics(manifest({}, {"split": ""}, root="/data/my/cards"))
    assert found.title == "my/cards"
    assert found.only("train").title == "my/cards, train"
    assert found.only("").title == "my/cards, no split"


def test_a_split_that_is_not_there_is_empty() -> None:
    missing = compute_statistics(manifest({})).only("test")
    assert (missing.overall, missing.splits) == (PartStatistics.empty(), {})
    assert missing.overall.classes.total == missing.overall.features["objects"].total == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "format 'other'"),
        ({"overall": {}}, "overall.rows: Field required"),
        ({"splits": None}, "splits: "),
        ({"features": 2}, "other features or bins"),
    ],
)
def test_other_content_is_refused(change: dict[str, Any], message: str) -> None:
    content = json.loads(json.dumps(compute_statistics(manifest({})).to_dict()))
    if "features" in change:
        content["overall"]["features"]["objects"]["counts"].pop()
        change = {}
    with pytest.raises(DatasetError, match=message):
        DatasetStatistics.from_dict(content | change)
