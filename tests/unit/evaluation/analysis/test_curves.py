"""The curves of precision over recall agree with the metric."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from florence2.codec.detections import Detections
from florence2.evaluation.analysis.curves import RECALLS, precision_recall
from florence2.evaluation.metrics.detection import MeanAveragePrecisionMetric
from tests.splits import matched_images, splits


@given(splits())
def test_the_area_under_each_curve_is_the_metrics_ap50(images: list[tuple[Detections, Detections]]) -> None:
    metric = MeanAveragePrecisionMetric()
    for image in images:
        metric.update(*image)
    curves = precision_recall(matched_images(images))
    if curves is None:
        assert metric.compute() == {}
        return
    assert len(curves.overall) == len(RECALLS) == 101
    assert np.mean(curves.overall) == pytest.approx(metric.compute()["map50"], abs=1e-12)
    for name, scores in metric.per_class().items():
        assert np.mean(curves.by_class[name]) == pytest.approx(scores["ap50"], abs=1e-12)
