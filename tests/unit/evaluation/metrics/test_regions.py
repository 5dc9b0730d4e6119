"""Metrics of outlines and of text regions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from florence2.codec.regions import Polygons, Quads, parse_polygons, parse_quads
from florence2.evaluation.metrics.polygon_overlap import polygon_iou
from florence2.evaluation.metrics.regions import MeanIoUMetric, OCRRegionF1Metric

BIG = (1000, 1000)
LEFT, RIGHT = (0, 0, 400, 999), (500, 0, 900, 999)


def locations(*numbers: int) -> str:
    return "".join(f"<loc_{number}>" for number in numbers)


def rectangle(x_min: int, y_min: int, x_max: int, y_max: int) -> str:
    """Return the eight location tokens of a rectangle's corners."""
    return locations(x_min, y_min, x_max, y_min, x_max, y_max, x_min, y_max)


def quads(*regions: tuple[str, tuple[int, int, int, int]]) -> Quads:
    return parse_quads("".join(text + rectangle(*box) for text, box in regions), BIG)


def outlines(*boxes: tuple[int, int, int, int]) -> Polygons:
    return parse_polygons("<sep>".join(rectangle(*box) for box in boxes), BIG)


class TestMeanIoU:
    def test_it_is_the_mean_over_questions_of_united_areas(self) -> None:
        metric = MeanIoUMetric()
        metric.update(outlines((0, 0, 400, 500), (0, 500, 400, 999)), outlines((0, 0, 400, 999)))
        metric.update(outlines((0, 0, 200, 200)), outlines((100, 0, 300, 200)))
        assert metric.values() == pytest.approx([1.0, 1 / 3])
        assert metric.compute() == {"mean_iou": pytest.approx(2 / 3)}

    def test_a_perfect_answer_is_perfect_on_a_small_image(self) -> None:
        answer = parse_polygons(locations(10, 10, 60, 15, 40, 70), (64, 64))
        metric = MeanIoUMetric()
        metric.update(answer, answer)
        assert metric.compute() == {"mean_iou": pytest.approx(1.0)}

    def test_no_answer_is_wrong_unless_there_is_nothing(self) -> None:
        metric = MeanIoUMetric()
        metric.update(Polygons(()), outlines(LEFT))
        metric.update(outlines(LEFT), Polygons(()))
        metric.update(Polygons(()), Polygons(()))
        assert metric.values() == (0.0, 0.0, 1.0)

    def test_what_could_not_be_read_is_counted(self) -> None:
        metric = MeanIoUMetric()
        metric.update(parse_polygons(rectangle(*LEFT) + "<sep>" + locations(1, 2, 3, 4, 5, 1000), BIG), outlines(LEFT))
        assert metric.counts() == {"answers": 1, "malformed_outlines": 1}
        metric.reset()
        assert metric.counts() == {"answers": 0, "malformed_outlines": 0}


class TestOCRRegionF1:
    def test_region_and_text_must_be_right(self) -> None:
        metric = OCRRegionF1Metric()
        metric.update(quads(("EXIT", LEFT), ("6", RIGHT)), quads(("EXIT", LEFT), ("5", RIGHT)))
        assert metric.compute() == {"ocr_region_f1": 0.5, "ocr_region_localisation_f1": 1.0}
        metric.update(quads(("a", LEFT)), quads(("a", RIGHT), ("b", LEFT)))
        assert metric.compute() == {"ocr_region_f1": 2 / 7, "ocr_region_localisation_f1": 6 / 7}
        assert metric.values() == (0.5, 0.0)

    def test_each_region_is_matched_once(self) -> None:
        metric = OCRRegionF1Metric()
        metric.update(quads(("a", LEFT), ("a", LEFT), ("a", LEFT)), quads(("a", LEFT)))
        assert metric.compute()["ocr_region_f1"] == 0.5

    def test_the_order_of_regions_cannot_cost_a_match(self) -> None:
        """The first written region overlaps both true ones, the second only the first: both can be matched."""
        true = quads(("x", (0, 0, 600, 100)), ("x", (200, 0, 800, 100)))
        written = quads(("x", (150, 0, 650, 100)), ("x", (0, 0, 500, 100)))
        for regions in (written, Quads(written.xy[::-1], written.text)):
            metric = OCRRegionF1Metric()
            metric.update(regions, true)
            assert metric.compute()["ocr_region_f1"] == 1.0

    def test_the_corners_may_start_anywhere_and_lean(self) -> None:
        corners = np.array([[100, 0], [500, 100], [400, 300], [0, 200]], dtype=np.float32)
        metric = OCRRegionF1Metric()
        metric.update(Quads(np.roll(corners, 1, axis=0)[None], ("a",)), Quads(corners[None], ("a",)))
        assert metric.compute()["ocr_region_f1"] == 1.0

    def test_half_an_overlap_is_enough(self) -> None:
        metric = OCRRegionF1Metric()
        metric.update(quads(("a", (0, 0, 498, 100))), quads(("a", (0, 0, 250, 100))))
        metric.update(quads(("a", (0, 0, 502, 100))), quads(("a", (0, 0, 250, 100))))
        assert metric.values() == (1.0, 0.0)

    @given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=8, max_size=8))
    @settings(max_examples=200, deadline=None)
    def test_any_two_quadrilaterals_match_if_half_of_both_is_shared(self, corners: list[tuple[int, int]]) -> None:
        first, second = np.array(corners, dtype=np.float32).reshape(2, 4, 2)
        overlap = polygon_iou([first], [second])
        assume(abs(overlap - 0.5) > 1e-3)
        metric = OCRRegionF1Metric()
        metric.update(Quads(first[None], ("a",)), Quads(second[None], ("a",)))
        assert metric.compute()["ocr_region_f1"] == (overlap > 0.5)

    def test_case_counts_and_unicode_forms_do_not(self) -> None:
        metric = OCRRegionF1Metric()
        metric.update(quads(("Cafe\u0301", LEFT), ("exit", RIGHT)), quads(("Café", LEFT), ("EXIT", RIGHT)))
        assert metric.compute()["ocr_region_f1"] == 0.5

    def test_images_without_regions_define_nothing_and_nothing_is_lost(self) -> None:
        metric = OCRRegionF1Metric()
        assert metric.compute() == {}
        metric.update(quads(), quads())
        assert metric.compute() == {}
        assert math.isnan(metric.values()[0])
        metric.update(parse_quads("a" + locations(1, 2, 3), BIG), quads(("a", LEFT)))
        assert metric.compute()["ocr_region_f1"] == 0.0
        assert metric.counts() == {"written_regions": 0, "true_regions": 1, "malformed_regions": 1}
