"""The benchmarks of answers compare what they say they compare."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.generation_speed import peer_answers
from benchmarks.grammars import measure
from benchmarks.scene_rows import BoxRows, box_rows, mean_average_precision
from benchmarks.score_formulas import FORMULAS, IN_USE, variants
from florence2.config import EvaluationConfig, ModelConfig
from florence2.inference.generation import predict
from florence2.inference.scoring import GeneratedBox, score_detections
from florence2.model.base import load_base
from florence2.model.florence import Florence2


@pytest.fixture(scope="module")
def nano() -> Florence2:
    return load_base(ModelConfig(base="builtin:nano"))


@pytest.fixture(scope="module")
def rows() -> BoxRows:
    return box_rows("shapes", 4, 0)


def test_a_seed_gives_its_own_images(rows: BoxRows) -> None:
    again, other = box_rows("shapes", 4, 0), box_rows("shapes", 4, 1)
    assert [truth.class_name for truth in again.truths] == [truth.class_name for truth in rows.truths]
    assert [truth.class_name for truth in other.truths] != [truth.class_name for truth in rows.truths]
    assert {name for truth in rows.truths for name in truth.class_name} <= set(rows.classes)
    found = [replace(truth, confidence=np.ones(len(truth), dtype=np.float32)) for truth in rows.truths]
    assert mean_average_precision(found, rows.truths)["map"] == pytest.approx(1.0)


def test_the_peer_writes_the_same_boxes_without_scores(nano: Florence2, rows: BoxRows) -> None:
    config = EvaluationConfig(max_new_tokens=48, grammar="off", duplicate_iou=1.0)
    for peer, ours in zip(peer_answers(nano, rows.samples, 1, 3, 48), predict(nano, rows.samples, config), strict=True):
        assert ours.detections is not None
        assert peer.class_name == ours.detections.class_name
        np.testing.assert_array_equal(peer.xyxy, ours.detections.xyxy)
        assert set(np.asarray(peer.confidence).tolist()) <= {1.0}


def test_the_formula_in_use_is_the_one_of_the_library() -> None:
    boxes = [GeneratedBox("cat", (1, 2, 3, 4), (0.5, 0.7), (0.1, 0.2, 0.3, 0.4))]
    for name, variant in variants().items():
        scores = variant(boxes, (10, 10)).confidence
        assert scores is not None
        assert 0 <= scores[0] <= 1, name
        if name == IN_USE or name not in FORMULAS:
            np.testing.assert_allclose(scores, np.asarray(score_detections(boxes, (10, 10)).confidence), rtol=1e-6)


def test_a_grammar_is_measured(nano: Florence2) -> None:
    found = measure(nano, "shapes", 3, 0, {"grammar": "classes", "max_new_tokens": 48})
    assert (found.truncated, found.malformed) == (0, 0)
    assert 0 < found.average_precision <= 1
