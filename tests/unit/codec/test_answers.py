"""The codec: what is written can be read, and the tokens are those that Florence-2 has."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.answers import BoxSpan, box_problem, format_detections, parse_detections, scan_boxes
from florence2.codec.detections import Detections
from florence2.codec.locations import BINS, dequantize, quantize, unclamped_bins
from florence2.codec.tasks import RESERVED, TASKS, split_prefix
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


class TestLocations:
    def test_floors_where_rounding_would_shift_by_half_a_bin(self) -> None:
        assert quantize([[0.9, 1.0, 1.9, 99.99]], (100, 100)).tolist() == [[9, 10, 19, 999]]
        assert quantize([[0.016, 0, 0.016, 0]], (10, 10)).tolist() == [[1, 0, 1, 0]]

    def test_edge_of_the_image_is_the_last_bin_not_loc_1000(self) -> None:
        assert quantize([[0, 0, 640, 480]], (640, 480)).tolist() == [[0, 0, 999, 999]]

    def test_a_sum_of_floats_may_miss_the_edge_by_its_last_digit(self) -> None:
        assert 0.1 + 0.2 > 0.3
        assert unclamped_bins([0.1 + 0.2, 0.3001, -1e-3], 0.3).tolist() == [999, 1000, -4]

    def test_clamps_what_lies_outside(self) -> None:
        assert quantize([[-5, -0.1, 700, 1e9]], (640, 480)).tolist() == [[0, 0, 999, 999]]

    def test_dequantizes_to_the_centre_in_float(self) -> None:
        pixels = dequantize([[0, 500, 499, 999]], (64, 64))
        assert pixels.dtype == np.float32
        np.testing.assert_allclose(pixels, [[0.032, 32.032, 31.968, 63.968]], rtol=1e-6)

    @given(st.lists(st.tuples(bins, bins, bins, bins), min_size=1, max_size=5), resolutions)
    def test_quantize_inverts_dequantize(self, rows: list[tuple[int, int, int, int]], size: tuple[int, int]) -> None:
        assert quantize(dequantize(rows, size), size).tolist() == [list(row) for row in rows]

    @given(st.floats(-1e6, 1e6), resolutions)
    def test_every_coordinate_has_an_existing_bin_at_most_half_a_bin_off(
        self, value: float, size: tuple[int, int]
    ) -> None:
        index = quantize([[value] * 4], size)
        assert ((index >= 0) & (index < BINS)).all()
        back = dequantize(index, size)[0]
        for pixel, side in zip(back, (*size, *size), strict=True):
            if 0 <= value < side:
                assert abs(pixel - value) <= 0.5 * side / BINS + 1e-3


class TestAnswers:
    @given(st.lists(st.tuples(class_names, ordered_bins()), max_size=6), resolutions)
    def test_reading_inverts_formatting(
        self, boxes: list[tuple[str, tuple[int, int, int, int]]], size: tuple[int, int]
    ) -> None:
        written = Detections(dequantize([box for _, box in boxes], size), tuple(name for name, _ in boxes))
        text = format_detections(written, size)
        for parse in (read_boxes, parse_detections):
            again = parse(text, size)
            assert again.class_name == written.class_name
            np.testing.assert_allclose(again.xyxy, written.xyxy, rtol=1e-6)

    @given(st.lists(st.tuples(st.floats(-100, 9e3), st.floats(-100, 9e3)), min_size=2, max_size=2), resolutions)
    def test_never_writes_loc_1000(self, corners: list[tuple[float, float]], size: tuple[int, int]) -> None:
        text = format_detections(detections(("x", *corners[0], *corners[1])), size)
        numbers = [int(number) for number in re.findall(r"<loc_(-?\d+)>", text)]
        assert len(numbers) == 4
        assert all(0 <= number <= 999 for number in numbers)

    def test_class_names_stay_whole(self) -> None:
        text = "t-shirt<loc_1><loc_2><loc_3><loc_4>9 of clubs<loc_5><loc_6><loc_7><loc_8>"
        assert read_boxes(text, (100, 100)).class_name == ("t-shirt", "9 of clubs")

    def test_several_boxes_of_one_class(self) -> None:
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
    def test_strict_reading_says_what_is_wrong(self, text: str, message: str) -> None:
        with pytest.raises(AnswerError, match=re.escape(message)):
            read_boxes(text, (100, 100))

    def test_lenient_reading_keeps_what_is_a_box(self) -> None:
        text = "cat<loc_1><loc_2><loc_3>dog<loc_1><loc_2><loc_3><loc_4>cow<loc_9><loc_2><loc_3><loc_4>tail"
        assert parse_detections(text, (100, 100)).class_name == ("dog",)

    @given(st.text(st.sampled_from("ab <>loc_-0199")))
    def test_scanning_loses_no_text_and_never_fails(self, text: str) -> None:
        spans, rest = scan_boxes(text)
        again = "".join(s.class_name + "".join(f"<loc_{number}>" for number in s.bins) for s in spans) + rest
        assert again == text.replace("<loc_-0>", "<loc_0>")
        parse_detections(text, (10, 10))

    def test_scanning_a_long_text_takes_linear_time(self) -> None:
        spans, rest = scan_boxes("<" * 1_000_000)
        assert spans == []
        assert len(rest) == 1_000_000

    def test_a_box_has_no_problem(self) -> None:
        assert box_problem(BoxSpan("cat", (1, 2, 1, 2))) is None


# Hypothesis takes texts out of the code, also tokens, and those have a meaning of their own.
plain_texts = st.text(min_size=1).filter(
    lambda text: bool(text.strip()) and not any(token in text for token in (*TASKS, *RESERVED))
)


class TestTasks:
    @given(st.sampled_from(sorted(TASKS)), plain_texts)
    def test_prefix_is_split_into_token_and_text(self, token: str, text: str) -> None:
        if TASKS[token].takes_input:
            assert split_prefix(token + text) == (TASKS[token], text.strip())
            with pytest.raises(AnswerError, match="needs a text"):
                split_prefix(token)
        else:
            assert split_prefix(token) == (TASKS[token], "")
            with pytest.raises(AnswerError, match="takes no text"):
                split_prefix(token + text)

    @pytest.mark.parametrize("prefix", ["", "OD", "<od>", "<NOPE>", "what? <VQA>", "<OD"])
    def test_unknown_task(self, prefix: str) -> None:
        with pytest.raises(AnswerError, match="no task token; known: <OD>"):
            split_prefix(prefix)


def test_detections_are_equal_by_their_boxes() -> None:
    one = detections(("cat", 1, 2, 3, 4), ("dog", 5, 6, 7, 8))
    assert one == detections(("cat", 1, 2, 3, 4), ("dog", 5, 6, 7, 8))
    assert one != detections(("dog", 5, 6, 7, 8), ("cat", 1, 2, 3, 4))
    assert one != detections(("cat", 1, 2, 3, 4), ("dog", 5, 6, 7, 9))
    assert one != Detections(one.xyxy, one.class_name, np.ones(2, dtype=np.float32))
    assert Detections.empty() == Detections.empty()
    assert one != "cat"
