"""Boxes as COCO results, with ids of their own or those of a reference."""

from __future__ import annotations

import numpy as np
import pytest

from florence2.codec.detections import Detections
from florence2.datasets.formats.coco_ids import CocoIds
from florence2.errors import DatasetError
from florence2.inference.coco_results import coco_results, images_like

SIZE = (100, 50)
REFERENCE = CocoIds({70: "a.jpg", 80: "b.jpg"}, {5: "dog", "k": "cat"})


def boxes(*names: str) -> Detections:
    corners = np.array([[1, 2, 4, 6]] * len(names), dtype=np.float32)
    return Detections(corners, names, np.full(len(names), 0.5, dtype=np.float32))


FOUND = [("p/a.jpg", SIZE, boxes("cat", "dog")), ("p/b.jpg", SIZE, boxes("cow")), ("p/c.jpg", SIZE, boxes("cat"))]


def test_without_a_reference_ids_are_numbers_from_1() -> None:
    found = coco_results(FOUND)
    assert [(image["id"], image["file_name"]) for image in found.dataset["images"]] == [
        (1, "p/a.jpg"),
        (2, "p/b.jpg"),
        (3, "p/c.jpg"),
    ]
    assert found.dataset["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "cow"}, {"id": 3, "name": "dog"}]
    assert found.results[0] == {"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5}
    assert not found.notes


def test_ids_of_a_reference_are_taken_and_what_it_lacks_is_left_out_with_a_sentence() -> None:
    found = coco_results(FOUND, REFERENCE)
    assert [(row["image_id"], row["category_id"]) for row in found.results] == [(70, "k"), (70, 5)]
    assert [image["id"] for image in found.dataset["images"]] == [70, 80]
    assert found.dataset["categories"] == [{"id": 5, "name": "dog"}, {"id": "k", "name": "cat"}]
    assert found.notes == (
        "1 image that the reference lacks is not in the COCO results: 'p/c.jpg'",
        "1 box of classes that the reference lacks is not in the COCO results: 'cow'",
    )


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("x.jpg", "y.jpg"), r"has none of the images \('x.jpg', 'y.jpg'\), but 'a.jpg', 'b.jpg'"),
        (("x/a.jpg", "y/a.jpg"), r"x/a.jpg and y/a.jpg both fit image 70 of the reference \(a.jpg\)"),
    ],
)
def test_a_reference_that_does_not_fit_is_refused(names: tuple[str, ...], message: str) -> None:
    with pytest.raises(DatasetError, match=message):
        images_like(REFERENCE, names)


def test_names_of_the_reference_must_differ() -> None:
    with pytest.raises(DatasetError, match=r"the reference: file name 'a.jpg' fits 2 ids"):
        images_like(CocoIds({1: "x/a.jpg", 2: "y/a.jpg"}, {}), ["a.jpg"])
