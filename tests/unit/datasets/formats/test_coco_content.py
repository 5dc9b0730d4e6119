"""The parts of a COCO file in any order, and what belongs to no image."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from florence2.datasets.formats.coco_content import CocoContent

PARTS: list[tuple[str, Any]] = [
    ("images", {"id": 1, "file_name": "a.png", "width": 4, "height": 2}),
    ("annotations", {"id": 1, "image_id": 1, "category_id": 2, "bbox": [0, 0.5, 3, 1]}),
    ("categories", {"id": 2, "name": "cat"}),
]


def content(*parts: tuple[str, Any]) -> CocoContent:
    """Return the content of a file with a part on each line."""
    found = CocoContent()
    for line, (key, value) in enumerate(parts, start=1):
        found.add(key, value, line)
    return found


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_the_order_of_the_parts_does_not_count(order: tuple[int, ...]) -> None:
    (image,) = content(*(PARTS[index] for index in order)).assemble()
    (region,) = image.regions
    assert (image.name, image.size_wh, image.problems) == ("a.png", (4, 2), [])
    assert (region.text, region.points, region.line) == ("cat", (0, 0.5, 3, 1.5), order.index(1) + 1)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"image_id": 9}, "annotation id 1: image_id 9 is not one of the images"),
        ({"category_id": 9}, "annotation id 1: category_id 9 is not one of the categories"),
        ({"bbox": [1, 2, 3]}, "annotation id 1: bbox is [1, 2, 3], not four numbers"),
        ({"image_id": True}, "image_id is True, not a whole number"),
    ],
)
def test_an_object_that_cannot_be_used_is_a_problem_with_its_line(change: dict[str, Any], problem: str) -> None:
    images = content(PARTS[0], ("annotations", PARTS[1][1] | change), PARTS[2]).assemble()
    assert [each for image in images for each in image.problems] == [(2, problem)]


def test_an_image_with_crowds_alone_is_left_out_and_counted() -> None:
    found = content(PARTS[0], ("annotations", PARTS[1][1] | {"iscrowd": 1}), PARTS[2])
    assert list(found.assemble()) == []
    assert (found.crowds.total(), found.crowds_alone) == (1, 1)
