"""Values that are measured in a manifest, and their rows."""

from __future__ import annotations

import pytest

from florence2.datasets.statistics.observations import observe
from tests.builders import manifest

BOX = "<loc_0><loc_0><loc_250><loc_250>"


def test_lengths_are_measured_without_token_and_blanks() -> None:
    found = observe(
        manifest(
            {"task": "<VQA>", "prefix": "<VQA> why? ", "suffix": " so "},
            {"task": "<CAPTION>", "prefix": "<CAPTION>", "suffix": "a" * 20},
            {"suffix": f"cat{BOX}"},
        )
    ).features
    assert (found["question_length"].values.tolist(), found["question_length"].row.tolist()) == ([4], [0])
    assert (found["answer_length"].values.tolist(), found["answer_length"].row.tolist()) == ([2, 20], [0, 1])


def test_boxes_are_clipped_to_their_image_and_inverted_ones_left_out() -> None:
    rows = manifest(
        {"suffix": "a<loc_-100><loc_0><loc_499><loc_1500>b<loc_9><loc_9><loc_1><loc_1>", "box_lines": "1 2"}
    )
    found = observe(rows)
    assert found.features["box_x"].values.tolist() == [0.25]
    assert found.features["box_size"].values.tolist() == pytest.approx([(0.499 * 0.999) ** 0.5])
    assert found.features["objects"].values.tolist() == [2]


def test_classes_are_tidied_and_phrases_left_out() -> None:
    rows = manifest(
        {"suffix": f"cat {BOX}{BOX}"},
        {"suffix": f" cat{BOX}dog{BOX}"},
        {"task": "<DENSE_REGION_CAPTION>", "prefix": "<DENSE_REGION_CAPTION>", "suffix": f"a dog{BOX}"},
    )
    classes = observe(rows).classes
    assert [classes.names[code] for code in classes.code] == ["cat", "cat", "cat", "dog"]
    assert classes.row.tolist() == [0, 0, 1, 1]


def test_an_image_is_measured_once_for_each_split() -> None:
    shown = {"image": "a.png"}
    rows = manifest(shown, shown, shown | {"split": "test"}, images={"a.png": {"brightness": 0.5}})
    assert observe(rows).features["brightness"].row.tolist() == [0, 2]
