"""Detection answers: what is written can be read, and what is wrong with an answer is named."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.answers import box_problem, format_detections, parse_detections
from florence2.codec.detections import Detections
from florence2.codec.locations import BINS, dequantize
from florence2.errors import AnswerError
from tests.builders import detections, read_boxes

sides = st.integers(1, 5000)
resolutions = st.tuples(sides, sides)
bins = st.integers(0, BINS - 1)


@st.composite
def ordered_bins(draw: st.DrawFn) -> tuple[int, int, int, int]:
    x_min, x_max = sorted((draw(bins), draw(bins)))
    y_min, y_max = sorted((draw(bins), draw(bins)))
    return x_min, y_min, x_max, y_max


class_names = st.one_of(
    st.sampled_from(["t-shirt", "9 of clubs", "Verkehrsschild (rund)", "狗", "été 2", "a.b/c", "x<y", "<b>", "A & B"]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
).filter(lambda name: bool(name.strip()) and name == name.strip() and "<loc" not in name)


@given(st.lists(st.tuples(class_names, ordered_bins()), max_size=6), resolutions)
def test_reading_inverts_formatting(boxes: list[tuple[str, tuple[int, int, int, int]]], size: tuple[int, int]) -> None:
    written = Detections(dequantize([box for _, box in boxes], size), tuple(name for name, _ in boxes))
    text = format_detections(written, size)
    for parse in (read_boxes, parse_detections):
        again = parse(text, size)
        assert again.class_name == written.class_name
        np.testing.assert_allclose(again.xyxy, written.xyxy, rtol=1e-6)


@given(st.lists(st.tuples(st.floats(-100, 9e3), st.floats(-100, 9e3)), min_size=2, max_size=2), resolutions)
def test_never_writes_loc_1000(corners: list[tuple[float, float]], size: tuple[int, int]) -> None:
    text = format_detections(detections(("x", *corners[0], *corners[1])), size)
    numbers = [int(number) for number in re.findall(r"<loc_(-?\d+)>", text)]
    assert len(numbers) == 4
    assert all(0 <= number <= 999 for number in numbers)


def test_class_names_stay_whole() -> None:
    text = "t-shirt<loc_1><loc_2><loc_3><loc_4>9 of clubs<loc_5><loc_6><loc_7><loc_8>"
    assert read_boxes(text, (100, 100)).class_name == ("t-shirt", "9 of clubs")


def test_several_boxes_of_one_class() -> None:
    text = "cat" + "".join(f"<loc_{number}>" for number in (1, 2, 3, 4, 5, 6, 7, 8))
    found = read_boxes(text, (1000, 1000))
    assert found.class_name == ("cat", "cat")
    np.testing.assert_allclose(found.xyxy[1], [5.5, 6.5, 7.5, 8.5])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cat<loc_1><loc_2><loc_1000><loc_4>", "<loc_1000> does not exist"),
        ("cat<loc_-1><loc_2><loc_3><loc_4>", "<loc_-1> does not exist"),
        ("cat<loc_1><loc_2><loc_3>", "3 location tokens"),
        ("cat<loc_9><loc_2><loc_3><loc_4>", "x_min 9 > x_max 3"),
        ("cat<loc_1><loc_9><loc_3><loc_4>", "y_min 9 > y_max 4"),
        ("<loc_1><loc_2><loc_3><loc_4>", "no class name"),
        ("cat<loc_01><loc_2><loc_3><loc_4>", "tokens are spelt"),
        ("cat<loc_\u0661><loc_2><loc_3><loc_4>", "tokens are spelt"),
        (f"cat<loc_{'9' * 5000}><loc_1><loc_2><loc_3><loc_4>", "tokens are spelt"),
        ("cat", "'cat' has no location tokens"),
    ],
)
def test_strict_reading_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(AnswerError, match=re.escape(message)):
        read_boxes(text, (100, 100))


def test_lenient_reading_keeps_what_is_a_box() -> None:
    text = "cat<loc_1><loc_2><loc_3>dog<loc_1><loc_2><loc_3><loc_4>cow<loc_9><loc_2><loc_3><loc_4>tail"
    assert parse_detections(text, (100, 100)).class_name == ("dog",)


@given(st.text(st.sampled_from("ab <>loc_-0199")))
def test_lenient_reading_takes_any_text(text: str) -> None:
    found = parse_detections(text, (10, 10))
    assert all(name.strip() and "<loc" not in name for name in found.class_name)
    assert ((found.xyxy >= 0) & (found.xyxy <= 10)).all()


def test_a_box_has_no_problem() -> None:
    assert box_problem("cat", (1, 2, 1, 2)) is None
