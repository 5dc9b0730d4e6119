"""Results of Label Studio, where the reader's own tests do not reach."""

from __future__ import annotations

from florence2.datasets.formats.label_studio_results import GlobalAnswer, add_results, minimal_results
from florence2.datasets.formats.labelled_image import LabelledImage, Remarks


def test_relations_and_texts_of_boxes_are_counted() -> None:
    found, remarks = LabelledImage("", "a.json", 3), Remarks()
    word = {"type": "textarea", "from_name": "t", "value": {"x": 1, "text": ["word"]}}
    rating = {"type": "rating", "from_name": "stars", "value": {"rating": 4}}
    assert add_results(found, [{"type": "relation"}, word, rating], "task 1", remarks) == [
        GlobalAnswer("stars", "rating", ("4",))
    ]
    assert dict(remarks.left_out) == {"relation": 1, "textarea of a box": 1}
    assert not found.problems


def test_a_turned_shape_needs_the_size_of_the_image() -> None:
    found = LabelledImage("", "a.json", 3, unit="fractions")
    value = {"x": 1, "y": 1, "width": 1, "height": 1, "rotation": 5, "rectanglelabels": ["a"]}
    add_results(found, [{"type": "rectanglelabels", "value": value}], "task 1", Remarks())
    expected = "task 1: the shape is turned and the result has no original_width and original_height"
    assert found.problems == [(3, expected)]


def test_json_min_keeps_its_shapes_alone() -> None:
    item = {"x": 1, "rectanglelabels": ["a"]}
    assert minimal_results({"a": [item, {"b": 1}, 3], "c": "d"}) == [{**item, "type": "rectanglelabels", "value": item}]
