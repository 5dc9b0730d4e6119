"""Quadrilaterals, outlines and boxes without names: what is written can be read, and nothing malformed is fatal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.locations import BINS, dequantize_points, quantize_points
from florence2.codec.regions import (
    PROPOSAL,
    Polygons,
    Quads,
    format_polygons,
    format_quads,
    parse_polygons,
    parse_proposals,
    parse_quads,
)
from florence2.config import ModelConfig
from florence2.model.base import load_base

Points = list[tuple[int, int]]

resolutions = st.tuples(st.integers(1, 5000), st.integers(1, 5000))
bins = st.integers(0, BINS - 1)
points = st.tuples(bins, bins)
texts = st.one_of(
    st.sampled_from(["t-shirt", "EXIT 5", "50 %", "a<b", "</p>", "狗", "x.y/z", "<sep>"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12),
).filter(lambda text: bool(text) and text == text.strip() and "<loc" not in text)


def locations(*numbers: int) -> str:
    return "".join(f"<loc_{number}>" for number in numbers)


@given(st.lists(points, min_size=1), resolutions)
def test_points_come_back_to_their_bins(rows: Points, size: tuple[int, int]) -> None:
    assert quantize_points(dequantize_points(rows, size), size).tolist() == [list(row) for row in rows]


@given(st.lists(st.tuples(texts, st.lists(points, min_size=4, max_size=4)), max_size=4), resolutions)
def test_reading_inverts_writing_of_quads(regions: Sequence[tuple[str, Points]], size: tuple[int, int]) -> None:
    corners = [dequantize_points(quad, size) for _, quad in regions]
    written = Quads(np.array(corners, dtype=np.float32).reshape(-1, 4, 2), tuple(text for text, _ in regions))
    again = parse_quads(format_quads(written, size), size)
    assert (again.text, again.malformed) == (written.text, 0)
    np.testing.assert_array_equal(again.xy, written.xy)


@given(st.lists(st.lists(points, min_size=3, max_size=7), max_size=4), resolutions)
def test_reading_inverts_writing_of_polygons(outlines: Sequence[Points], size: tuple[int, int]) -> None:
    written = Polygons(tuple(dequantize_points(outline, size) for outline in outlines))
    again = parse_polygons(format_polygons(written, size), size)
    assert (len(again), again.malformed) == (len(written), 0)
    for found, expected in zip(again.xy, written.xy, strict=True):
        np.testing.assert_array_equal(found, expected)


@given(st.lists(st.sampled_from(["<sep>", "<poly>", "</poly>", "a", "<loc", "<loc_-3>", "<loc_1000>", "<loc_7>", " "])))
def test_nothing_that_a_model_writes_is_fatal(parts: list[str]) -> None:
    text = "".join(parts)
    for outline in parse_polygons(text, (10, 10)).xy:
        assert ((outline > 0) & (outline < 10)).all()
    assert len(parse_quads(text, (10, 10)).text) <= text.count("<loc_7>") // 8
    assert len(parse_proposals(text, (10, 10))) <= text.count("<loc_7>") // 4


@pytest.fixture(scope="module")
def processor() -> Any:
    return load_base(ModelConfig(base="builtin:nano")).processor


def parsed_by(processor: Any, text: str, task: str) -> dict[str, Any]:
    answer: dict[str, Any] = processor.post_process_generation(text=text, task=task, image_size=(640, 480))[task]
    return answer


def test_regions_are_those_of_the_processor_which_cuts_off_the_fraction(processor: Any) -> None:
    """It knows no outline too short and no bin too large, so only what is well written can be compared."""
    text = "EXIT 5" + locations(*range(0, 80, 10)) + "t-shirt" + locations(*range(999, 919, -10))
    theirs, ours = parsed_by(processor, text, "<OCR_WITH_REGION>"), parse_quads(text, (640, 480))
    assert list(ours.text) == theirs["labels"]
    np.testing.assert_array_equal(ours.xy.reshape(-1, 8).astype(int), theirs["quad_boxes"])

    outline, other = locations(1, 2, 300, 4, 500, 600), locations(*range(0, 800, 100))
    for text in (f"{outline}<sep>{other}", f"<poly>{outline}</poly><poly>{other}</poly>"):
        found = parsed_by(processor, text, "<REFERRING_EXPRESSION_SEGMENTATION>")["polygons"]
        expected = [points for instance in found for points in instance]
        assert [outline.astype(int).ravel().tolist() for outline in parse_polygons(text, (640, 480)).xy] == expected

    text = locations(*range(0, 800, 100))
    boxes = parsed_by(processor, text, "<REGION_PROPOSAL>")["bboxes"]
    np.testing.assert_array_equal(parse_proposals(text, (640, 480)).xyxy.astype(int), boxes)


def test_coordinates_are_floats_at_the_centre_of_their_bins() -> None:
    quad = parse_quads("EXIT" + locations(0, 0, 999, 0, 999, 500, 0, 500), (64, 64)).xy[0]
    np.testing.assert_allclose(quad, [[0.032, 0.032], [63.968, 0.032], [63.968, 32.032], [0.032, 32.032]], rtol=1e-5)
    outline = parse_polygons(locations(0, 0, 999, 0, 500, 999), (100, 200)).xy[0]
    np.testing.assert_allclose(outline, [[0.05, 0.1], [99.95, 0.1], [50.05, 199.9]], rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "kept", "malformed"),
    [
        ("", (), 0),
        ("t-shirt" + locations(*range(8)), ("t-shirt",), 0),
        ("a" + locations(*range(16)), ("a", "a"), 0),
        ("a" + locations(*range(9)), ("a",), 1),
        ("a" + locations(*range(7)) + "b" + locations(*range(8)), ("b",), 1),
        ("a" + locations(1000, *range(7)) + "b" + locations(*range(8)), ("b",), 1),
        ("a" + locations(-1, *range(7)), (), 1),
        (locations(*range(8)), (), 1),
        ("a" + locations(*range(8)) + "cut in the mid", ("a",), 1),
        ("a<loc_01>" + locations(*range(8)), (), 1),
    ],
)
def test_what_is_no_quad_is_left_out_and_counted(text: str, kept: tuple[str, ...], malformed: int) -> None:
    quads = parse_quads(text, (1000, 1000))
    assert (quads.text, quads.malformed) == (kept, malformed)


@pytest.mark.parametrize(
    ("text", "kept", "malformed"),
    [
        ("", [], 0),
        (locations(1, 1, 9, 1, 9, 9), [3], 0),
        (locations(1, 1, 9, 1, 9, 9, 5), [3], 1),
        (locations(1, 1, 9, 1), [], 1),
        (locations(1, 1, 9, 1, 9, 1000), [], 1),
        (locations(1, 1, 9, 1, 9, 9) + "<sep>" + locations(1, 1, 9, 1, 9, 9, 1, 9), [3, 4], 0),
        ("<poly>" + locations(1, 1, 9, 1, 9, 9) + "</poly><poly>" + locations(1, 1, 9, 1, 9, 9) + "</poly>", [3, 3], 0),
        ("a cat" + locations(1, 1, 9, 1, 9, 9) + "<sep>", [3], 0),
        ("no outline at all", [], 0),
    ],
)
def test_what_is_no_outline_is_left_out_and_counted(text: str, kept: list[int], malformed: int) -> None:
    polygons = parse_polygons(text, (1000, 1000))
    assert ([len(outline) for outline in polygons.xy], polygons.malformed) == (kept, malformed)


def test_proposals_are_boxes_of_one_class() -> None:
    found = parse_proposals(
        locations(1, 2, 3, 4, 5, 6, 7, 8) + "x" + locations(9, 2, 3, 4) + locations(1000), (1000, 1000)
    )
    assert found.class_name == (PROPOSAL, PROPOSAL)
    np.testing.assert_allclose(found.xyxy, [[1.5, 2.5, 3.5, 4.5], [5.5, 6.5, 7.5, 8.5]])
    assert found.confidence is None
    assert len(parse_proposals("", (10, 10))) == 0


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        Quads(np.zeros((2, 4, 2), dtype=np.float32), ("a",))
    with pytest.raises(ValueError, match="at least 3 points"):
        Polygons((np.zeros((2, 2), dtype=np.float32),))
    assert len(Quads(np.zeros(0, dtype=np.float32), ())) == 0
