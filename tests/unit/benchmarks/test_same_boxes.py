"""Two layouts of one data set are compared box by box; the benchmark that measures their difference."""

from __future__ import annotations

import pytest

from benchmarks.same_boxes import same_boxes
from tests.builders import manifest

CAT, OTHER = "<loc_10><loc_20><loc_300><loc_400>", "<loc_500><loc_500><loc_700><loc_700>"


def test_the_same_boxes_in_another_order_and_layout() -> None:
    ours = manifest({"image": "train/a_jpg.rf.0123.jpg", "suffix": f"cat{CAT}{OTHER}dog{CAT}"})
    theirs = manifest({"image": "images/a_jpg.rf.4567.png", "suffix": f"dog{CAT}cat{OTHER} cat {CAT}"})
    found = same_boxes(ours, theirs)
    assert found.differences.tolist() == [0, 0, 0]
    assert (found.images, found.images_alone, found.boxes_alone) == (1, ([], []), ([], []))


def test_what_differs_is_measured_and_what_is_alone_is_named() -> None:
    moved, outside = "<loc_13><loc_20><loc_299><loc_400>", "<loc_500><loc_500><loc_700><loc_1020>"
    ours = manifest(
        {"image": "a.png", "suffix": f"cat{CAT}{outside}"},
        {"image": "b.png", "suffix": f"cat{CAT}"},
        {"image": "c.png", "suffix": ""},
    )
    theirs = manifest(
        {"image": "a.png", "suffix": "cat<loc_500><loc_500><loc_700><loc_999>" + moved},
        {"image": "b.png", "suffix": f"dog{CAT}"},
        {"image": "d.png", "suffix": f"cat{CAT}"},
    )
    found = same_boxes(ours, theirs)
    assert sorted(found.differences.tolist()) == [0, 3]
    assert found.images_alone == (["c"], ["d"])
    assert found.boxes_alone == (["b: cat [10, 20, 300, 400]"], ["b: dog [10, 20, 300, 400]"])
    assert "2 pairs of boxes: 1 equal, 0 differ by one bin, largest difference 3 bins" in str(found)


def test_images_that_cannot_be_distinguished_are_refused() -> None:
    double = manifest({"image": "train/a.png"}, {"image": "test/a.png"})
    with pytest.raises(ValueError, match="cannot be paired"):
        same_boxes(double, double)
