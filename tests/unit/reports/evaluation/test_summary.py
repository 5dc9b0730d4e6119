"""The sentences on where a model fails."""

from __future__ import annotations

import numpy as np

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.analyse import Analysis, analyse
from florence2.evaluation.analysis.validity import Validity
from florence2.evaluation.changes import list_class_changes
from florence2.evaluation.matching import match_image
from florence2.evaluation.report import ModelEvaluation
from florence2.reports.evaluation.summary import in_short
from tests.builders import detections
from tests.reports import question


def test_the_summary_names_the_weakest_groups_and_the_faults() -> None:
    truths = [(name, 20.0 * i, 0.0, 20.0 * i + 10, 10.0) for i, name in enumerate(("a", "b", "c", "d", "e", "f"))]
    guess = detections(("b", *truths[0][1:]), *truths[1:3])
    crowd = match_image(Detections(guess.xyxy, guess.class_name, np.float32([0.9, 0.9, 0.9])), detections(*truths))  # type: ignore[arg-type]
    alone = [match_image(detections(truths[0]), detections(truths[0])) for _ in range(5)]
    rows = [question("1", 1.0) for _ in range(5)] + [question("1", 0.0, "<VQA>is it?") for _ in range(5)]
    classes = list_class_changes(
        None, ModelEvaluation("m", per_class={n: {"ap50": i / 8} for i, n in enumerate("abcd")})
    )
    sentences = in_short(analyse(rows, [crowd, *alone]), classes)
    assert sentences[0] == "It finds 7 of 11 boxes (64%), and 88% of its 8 boxes are right (IoU 0.5)."
    assert "a (AP50 0.00), b (AP50 0.12), c (AP50 0.25)" in sentences[1]
    assert "a is called b, once" in sentences[2]
    assert "33% in images with 6 to 10 boxes, and 100% in images with 1 box" in sentences[3]
    assert "“is it” are the hardest (VQA accuracy 0.00)" in sentences[4]
    faulty = in_short(Analysis(Validity(9, 3, 2, 1, 0, 5, 0, 4, 0)), [])
    assert faulty == [
        "3 of 9 answers are invalid: 2 cut, 1 malformed.",
        "4 boxes have a score or a coordinate that is not a number: they were left out.",
    ]
