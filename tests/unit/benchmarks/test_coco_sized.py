"""The generated detections of the benchmarks: as many as requested, and the same scores by either program."""

from __future__ import annotations

import pytest

from benchmarks.coco_sized import as_coco, coco_sized
from benchmarks.map_speed import official_scores, our_scores
from florence2.evaluation.metrics.coco import coco_scores


def test_there_are_as_many_boxes_as_requested() -> None:
    pairs = coco_sized(images=30, classes=5, truths=90, found=20)
    assert len(pairs) == 30
    assert sum(len(truth) for _, truth in pairs) == 90
    assert {len(found) for found, _ in pairs} == {20}
    assert {name for _, truth in pairs for name in truth.class_name} <= {f"class {number}" for number in range(5)}


def test_metric_results_list_and_reference_program_agree() -> None:
    pairs = coco_sized(images=30, classes=5, truths=90, found=20)
    ours = our_scores(pairs)
    assert coco_scores(*as_coco(pairs)).scores == pytest.approx(ours, abs=1e-12)
    assert official_scores(*as_coco(pairs)) == pytest.approx(ours, abs=1e-12)
    assert 0.2 < ours["map"] < 0.8
