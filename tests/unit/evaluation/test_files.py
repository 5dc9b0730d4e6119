"""What the files of an evaluation hold, for programs."""

from __future__ import annotations

import numpy as np

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.analyse import Analysis
from florence2.evaluation.analysis.validity import Validity
from florence2.evaluation.baselines.scores import BaselineScores
from florence2.evaluation.bootstrap import Comparison, Interval
from florence2.evaluation.evaluated_sample import BOX_SCORE
from florence2.evaluation.files import metrics_summary, prediction_lines
from florence2.evaluation.matching import match_image
from florence2.evaluation.report import ModelEvaluation
from tests.builders import detections, evaluated_sample


def test_the_summary_has_scores_intervals_and_the_counts_of_faulty_answers() -> None:
    evaluation = ModelEvaluation(
        "m",
        {"map50": 0.5},
        counts={"images": 4},
        intervals={"map50": Interval(0.25, 0.75)},
        analysis=Analysis(Validity(40, 3, 2, 1, 0, 9, 0, 0, 0)),
    )
    summary = metrics_summary(evaluation)
    assert summary["intervals"] == {"map50": {"low": 0.25, "high": 0.75, "level": 0.95}}
    assert summary["counts"]["images"] == 4
    assert (summary["counts"]["cut_answers"], summary["counts"]["malformed_answers"]) == (2, 1)


def test_the_summary_has_the_baseline_and_how_far_the_model_is_from_it() -> None:
    baseline = BaselineScores({"map50": 0.25}, {"map50": Comparison(0.25, Interval(0.1, 0.4), 1.0)})
    summary = metrics_summary(ModelEvaluation("m", {"map50": 0.5}, baseline=baseline))["baseline"]
    assert summary["scores"] == {"map50": 0.25}
    assert summary["differences"]["map50"]["interval"] == {"low": 0.1, "high": 0.4, "level": 0.95}
    assert metrics_summary(ModelEvaluation("m"))["baseline"] is None


def test_a_line_has_boxes_only_where_the_answer_has_boxes() -> None:
    box = ("ring", 0.0, 0.0, 10.0, 10.0)
    predicted = detections(box)
    scored = Detections(predicted.xyxy, predicted.class_name, np.array([0.5], dtype=np.float32))
    image = match_image(scored, detections(box))
    with_boxes = evaluated_sample("a.png", (64, 64), "<OD>", "t", "p", BOX_SCORE, image.f1, image)
    text = evaluated_sample("b.png", (64, 64), "<VQA>what?", "t", "p", "vqa_accuracy", 1.0)
    first, second = prediction_lines([with_boxes, text])
    assert first["boxes"] == [{"name": "ring", "xyxy": [0.0, 0.0, 10.0, 10.0], "confidence": 0.5}]
    assert "boxes" not in second
