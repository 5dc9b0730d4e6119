"""Statistics of a data set: what is counted, in which bin, and the way to JSON and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from florence2.datasets.statistics.compute import compute_statistics
from florence2.datasets.statistics.features import FEATURES
from florence2.datasets.statistics.summary import DatasetStatistics
from tests.builders import manifest

BOX = "<loc_0><loc_0><loc_250><loc_250>"


def bins_of(statistics: DatasetStatistics, name: str) -> dict[float, int]:
    """Return the counts of the bins that are not empty, by their lower edge."""
    counts = statistics.overall.features[name].counts
    return {edge: count for edge, count in zip(FEATURES[name].edges[:-1], counts, strict=True) if count}


def test_rows_images_tasks_and_classes_of_each_split() -> None:
    found = compute_statistics(
        manifest(
            {"suffix": f"cat{BOX}{BOX} big  dog{BOX}"},
            {"image": "train/1.png", "task": "<VQA>", "prefix": "<VQA>what?", "suffix": "cat"},
            {"split": "test", "suffix": f"cat{BOX}"},
            {"split": "", "task": "", "prefix": "?"},
            splits=("valid",),
        )
    )
    assert list(found.splits) == ["train", "valid", "test", ""]
    assert (found.overall.rows, found.overall.images) == (4, 3)
    assert [part.rows for part in found.splits.values()] == [2, 0, 1, 1]
    assert found.overall.tasks.counts == {"<OD>": 2, "<VQA>": 1, "": 1}
    assert found.overall.classes.counts == {"cat": 3, "big dog": 1}
    assert found.splits["test"].classes.counts == {"cat": 1}
    assert found.splits["valid"].features["objects"].counts == (0,) * (len(FEATURES["objects"].edges) - 1)


def test_boxes_are_measured_in_their_image() -> None:
    # 250 of 1000 bins each way, in an image of 20 x 10 pixels: a sixteenth of it, twice as wide as high.
    found = compute_statistics(manifest({"suffix": f"cat{BOX}"}))
    assert bins_of(found, "box_size") == {0.25: 1}
    assert bins_of(found, "box_aspect") == {2.0: 1}
    assert bins_of(found, "box_x") == bins_of(found, "box_y") == {0.1: 1}
    assert found.overall.features["box_size"].median == pytest.approx(0.25)


def test_the_map_of_centres_is_rows_from_the_top() -> None:
    found = compute_statistics(manifest({"suffix": "cat<loc_900><loc_300><loc_980><loc_320>"}))
    assert [(y, x) for y, line in enumerate(found.overall.centres) for x, count in enumerate(line) if count] == [(3, 9)]


def test_objects_are_counted_by_image_and_task_also_where_there_are_none() -> None:
    found = compute_statistics(
        manifest(
            {"suffix": f"cat{BOX}"},
            {"image": "train/1.png", "suffix": f"dog{BOX}{BOX}"},
            {"image": "train/1.png", "task": "<DENSE_REGION_CAPTION>", "suffix": f"a dog{BOX}"},
            {"image": "train/1.png", "task": "<OPEN_VOCABULARY_DETECTION>", "suffix": f"my dog{BOX}"},
            {"suffix": ""},
        )
    )
    assert bins_of(found, "objects") == {0: 1, 1: 2, 3: 1}
    assert found.overall.classes.counts == {"dog": 2, "cat": 1}, "phrases are not classes"


def test_an_image_counts_once_however_many_rows_name_it() -> None:
    row: dict[str, Any] = {"image": "train/1.png", "task": "<VQA>", "prefix": "<VQA>?", "suffix": "x"}
    found = compute_statistics(manifest(row, row, row, images={"train/unused.png": {"brightness": 0.1}}))
    assert found.overall.features["brightness"].total == found.overall.features["image_width"].total == 1
    assert found.overall.features["question_length"].total == 3


def test_boxes_of_one_image_are_worth_less_than_as_many_images() -> None:
    even = compute_statistics(manifest({"suffix": f"a{BOX}{BOX}"}, {"suffix": f"a{BOX}{BOX}"}))
    uneven = compute_statistics(manifest({"suffix": f"a{BOX}"}, {"suffix": f"a{BOX}{BOX}{BOX}"}))
    assert even.overall.features["box_size"].independent == even.overall.classes.independent == 2
    assert uneven.overall.classes.independent == pytest.approx(4**2 / (1 + 3**2))


def test_what_cannot_be_read_is_counted_and_left_out() -> None:
    lost = {"width": None, "height": None, "sha256": "", "image_error": "missing: no such file"}
    found = compute_statistics(
        manifest(
            {"image": "", "task": "", "prefix": "", "suffix": "", "line_error": "not JSON", "width": None},
            lost | {"suffix": f"cat{BOX}"},
            {"suffix": "cat<loc_9><loc_9><loc_1><loc_1>dog<loc_1>"},
            {"suffix": "cat<loc_-5><loc_0><loc_2000><loc_999>", "box_lines": "3"},
            images={"train/2.png": {"brightness": None}},
        )
    )
    assert (found.overall.rows, found.overall.unreadable_rows, found.overall.images) == (4, 1, 3)
    assert found.overall.features["box_size"].total == 2
    assert found.overall.features["box_size"].maximum == pytest.approx(0.999)
    assert found.overall.features["box_aspect"].total == 1, "the shape of an image of unknown size is unknown"
    assert found.overall.features["image_width"].total == 2


suffixes = st.lists(
    st.tuples(st.sampled_from(["cat", "Dog", " ", ""]), st.lists(st.integers(-20, 1100), max_size=9)), max_size=4
).map(lambda spans: "".join(name + "".join(f"<loc_{number}>" for number in bins) for name, bins in spans))
rows = st.fixed_dictionaries(
    {
        "split": st.sampled_from(["train", "valid", "test", ""]),
        "image": st.sampled_from(["a.png", "b.png", "c.png"]),
        "task": st.sampled_from(["<OD>", "<VQA>", "<OCR_WITH_REGION>", ""]),
        "suffix": suffixes,
        "line_error": st.sampled_from([None, None, "not JSON"]),
    }
)


@settings(max_examples=20, deadline=None)
@given(st.lists(rows, max_size=8), st.sampled_from(["train", "valid", "test", ""]))
def test_splits_add_up_and_json_keeps_everything(drawn: list[dict[str, Any]], split: str) -> None:
    whole = manifest(*drawn)
    found = compute_statistics(whole)
    assert found.only(split) == compute_statistics(whole.select(split))
    assert DatasetStatistics.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    parts = list(found.splits.values())
    assert found.overall.rows == sum(part.rows for part in parts) == len(drawn)
    for name, distribution in found.overall.features.items():
        assert distribution.total == sum(part.features[name].total for part in parts)
        assert distribution.independent <= distribution.total + 1e-9
    assert sum(map(sum, found.overall.centres)) == found.overall.features["box_x"].total
    for name, count in found.overall.classes.counts.items():
        assert count == sum(part.classes.counts.get(name, 0) for part in parts)


def test_an_empty_set_has_statistics() -> None:
    found = compute_statistics(manifest())
    assert (found.overall.rows, found.splits, found.overall.features["objects"].median) == (0, {}, None)
