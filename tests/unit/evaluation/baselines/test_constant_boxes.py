"""The same boxes for every image: their classes, sizes and names."""

from __future__ import annotations

import numpy as np

from florence2.codec.answers import parse_detections
from florence2.codec.tasks import TASKS
from florence2.evaluation.baselines.constant_boxes import ConstantBoxes
from florence2.evaluation.baselines.known_answer import KnownAnswer

LEFT, RIGHT = "<loc_0><loc_0><loc_400><loc_900>", "<loc_500><loc_0><loc_999><loc_900>"


def known(*answers: str, text: str = "") -> list[KnownAnswer]:
    return [KnownAnswer(text, answer, (20, 10)) for answer in answers]


def test_each_class_has_its_boxes_in_pixels_of_the_image() -> None:
    fitted = ConstantBoxes.fit(TASKS["<OD>"], known(*[f"cat{LEFT}dog{RIGHT}", f"cat{LEFT}"] * 3))
    text, boxes = fitted.guess("", (200, 100))
    assert boxes is not None
    assert boxes.confidence is not None
    assert boxes.class_name == ("cat", "dog")
    assert np.allclose(boxes.confidence, [1.0, 0.5])
    assert np.allclose(boxes.xyxy, parse_detections(f"cat{LEFT}dog{RIGHT}", (200, 100)).xyxy, atol=0.01)
    assert text == f"cat{LEFT}dog{RIGHT}"


def test_proposals_have_no_names() -> None:
    fitted = ConstantBoxes.fit(TASKS["<REGION_PROPOSAL>"], known(LEFT, LEFT))
    _, boxes = fitted.guess("", (200, 100))
    assert boxes is not None
    assert boxes.class_name == ("region",)


def test_what_the_prompt_requests_is_the_name_of_the_boxes() -> None:
    task = TASKS["<CAPTION_TO_PHRASE_GROUNDING>"]
    fitted = ConstantBoxes.fit(task, known(f"a dog{LEFT}", f"a dog{LEFT}a cat{LEFT}", text="a dog and a cat"))
    _, boxes = fitted.guess("a cat on a mat", (20, 10))
    assert boxes is not None
    assert set(boxes.class_name) == {"a cat on a mat", "a cat"}


def test_of_many_classes_not_all_have_a_box() -> None:
    answers = [f"class {index % 150}{LEFT}" for index in range(300)]
    fitted = ConstantBoxes.fit(TASKS["<OD>"], known(*answers))
    assert len(fitted.xyxy) == 100


def test_images_without_objects_have_no_boxes() -> None:
    text, boxes = ConstantBoxes.fit(TASKS["<OD>"], known("", "")).guess("", (20, 10))
    assert (text, boxes is not None and len(boxes)) == ("", 0)
