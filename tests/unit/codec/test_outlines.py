"""What an answer of each kind shows of its image."""

from __future__ import annotations

import numpy as np
import pytest

from florence2.codec.detections import Detections
from florence2.codec.outlines import Outline, outlines_in
from florence2.codec.tasks import TASKS, AnswerKind

SIZE = (1000, 500)
BOX = "cat<loc_100><loc_200><loc_300><loc_400>"


def test_a_box_has_four_corners_and_its_confidence() -> None:
    (found,) = outlines_in(AnswerKind.BOXES, BOX, SIZE) or ()
    assert found == Outline(((100.5, 100.25), (300.5, 100.25), (300.5, 200.25), (100.5, 200.25)), "cat")
    scored = Detections(np.array([[1, 2, 3, 4]], np.float32), ("dog",), np.array([0.5], np.float32))
    (found,) = outlines_in(AnswerKind.BOXES, BOX, SIZE, scored) or ()
    assert (found.name, found.confidence, found.xyxy) == ("dog", 0.5, (1.0, 2.0, 3.0, 4.0))


def test_texts_have_their_corners_and_outlines_their_points() -> None:
    text = "Tax 7 %<loc_0><loc_0><loc_100><loc_10><loc_100><loc_50><loc_0><loc_40>"
    (quad,) = outlines_in(AnswerKind.QUADS, text, SIZE) or ()
    assert (quad.name, quad.points[2]) == ("Tax 7 %", (100.5, 25.25))
    assert quad.xyxy == (0.5, 0.25, 100.5, 25.25)
    two = "<loc_0><loc_0><loc_9><loc_0><loc_9><loc_9><sep><loc_50><loc_0><loc_59><loc_0><loc_59><loc_9><loc_50><loc_9>"
    polygons = outlines_in(AnswerKind.POLYGONS, two, SIZE) or ()
    assert [len(polygon.points) for polygon in polygons] == [3, 4]
    assert [polygon.name for polygon in outlines_in(AnswerKind.PROPOSALS, BOX, SIZE) or ()] == ["region"]


@pytest.mark.parametrize("token", TASKS)
def test_each_task_shows_something_or_nothing_whatever_is_written(token: str) -> None:
    kind = TASKS[token].answer
    empty = outlines_in(kind, "no places <loc_5>", SIZE)
    assert empty == (None if kind in {AnswerKind.ANSWER, AnswerKind.TEXT} else ())


def test_an_unseen_class_is_marked_in_the_title() -> None:
    boxes = Detections(np.array([[1, 2, 3, 4]] * 2, dtype=np.float32), ("cat", "dog"))
    titles = [outline.title for outline in outlines_in(AnswerKind.BOXES, "", (10, 10), boxes, {"dog"}) or ()]
    assert titles == ["cat", "dog (unseen)"]
