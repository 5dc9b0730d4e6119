"""Boxes grouped by size, images by their number of boxes."""

from __future__ import annotations

from hypothesis import given

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.breakdown import BoxGroup, by_crowding, by_size
from florence2.evaluation.matching import match_image
from tests.builders import detections
from tests.splits import matched_images, scored, splits


@given(splits())
def test_groups_hold_every_box_once(images: list[tuple[Detections, Detections]]) -> None:
    matched = matched_images(images)
    expected = [
        sum(len(image.target) for image in matched),
        sum(int(image.found.sum()) for image in matched),
        sum(len(image.prediction) for image in matched),
        sum(int(image.right.sum()) for image in matched),
    ]
    for groups in (by_size(matched), by_crowding(matched)):
        assert [sum(getattr(g, n) for g in groups) for n in ("truths", "found", "predictions", "right")] == expected
    assert sum(group.images for group in by_crowding(matched)) == len(matched)


def test_sizes_are_cocos_and_crowds_count_truths() -> None:
    small, large = ("ring", 0, 0, 10, 10), ("ring", 0, 0, 200, 200)
    image = match_image(scored(detections(small), 0.5), detections(small, large))
    empty = match_image(scored(detections(small), 0.5), Detections.empty())
    sizes = by_size([image, empty])
    assert [(group.name.split()[0], group.recall, group.precision) for group in sizes] == [
        ("small", 1.0, 0.5),
        ("large", 0.0, None),
    ]
    assert by_crowding([image, empty]) == (BoxGroup("no box", 1, 0, 0, 1, 0), BoxGroup("2 boxes", 1, 2, 1, 1, 1))
