"""The analysis of a split as a whole."""

from __future__ import annotations

import numpy as np

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.analyse import analyse
from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.matching import match_image
from tests.builders import detections, evaluated_sample

RING = ("ring", 0.0, 0.0, 10.0, 10.0)


def row(prefix: str, target: str, text: str, value: float | None, **more: object) -> EvaluatedSample:
    values: dict[str, object] = {"score": "vqa_accuracy"} | more
    return evaluated_sample("a.png", (64, 64), prefix, target, text, value=value, **values)  # type: ignore[arg-type]


def test_a_split_of_texts_has_no_boxes_to_analyse() -> None:
    found = analyse([row("<CAPTION>", "a", "b", 0.5)], [])
    assert found.validity.answers == 1
    assert (found.curves, found.confusion, found.calibration, found.questions) == (None, None, None, None)
    assert found.sizes == found.crowding == ()


def test_the_numbers_of_an_analysis_are_those_of_python() -> None:
    """They are written to JSON: numpy's own numbers would not be."""
    scored = Detections(np.array([[0, 0, 10, 10]], np.float32), ("ring",), np.array([0.5], np.float32))
    image = match_image(scored, detections(RING))
    found = analyse([], [image])
    assert found.curves is not None
    assert found.calibration is not None
    assert found.confusion is not None
    assert {type(value) for value in found.curves.overall} == {float}
    assert type(found.calibration.error) is float
    assert type(found.confusion.counts[0][0]) is int
