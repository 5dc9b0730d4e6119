"""The quantiser: bins are floored, clamped, and stand for their centre."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.locations import BINS, dequantize, quantize, unclamped_bins

sides = st.integers(1, 5000)
resolutions = st.tuples(sides, sides)
bins = st.integers(0, BINS - 1)


def test_floors_where_rounding_would_shift_by_half_a_bin() -> None:
    assert quantize([[0.9, 1.0, 1.9, 99.99]], (100, 100)).tolist() == [[9, 10, 19, 999]]
    assert quantize([[0.016, 0, 0.016, 0]], (10, 10)).tolist() == [[1, 0, 1, 0]]


def test_edge_of_the_image_is_the_last_bin_not_loc_1000() -> None:
    assert quantize([[0, 0, 640, 480]], (640, 480)).tolist() == [[0, 0, 999, 999]]


def test_less_than_the_rounding_beyond_an_edge_is_inside_and_more_is_outside() -> None:
    assert unclamped_bins([63.9, 64.0, 64.29, 64.99, 65.0], 64, 1).tolist() == [998, 999, 999, 999, 1015]
    assert unclamped_bins([0.0, -0.29, -0.99, -1.0], 64, 1).tolist() == [0, 0, 0, -16]
    assert unclamped_bins([64.29, -0.29], 64).tolist() == [1004, -5]


def test_a_sum_of_floats_may_miss_the_edge_by_its_last_digit() -> None:
    assert 0.1 + 0.2 > 0.3
    assert unclamped_bins([0.1 + 0.2, 0.3001, -1e-3], 0.3).tolist() == [999, 1000, -4]


def test_clamps_what_lies_outside() -> None:
    assert quantize([[-5, -0.1, 700, 1e9]], (640, 480)).tolist() == [[0, 0, 999, 999]]


def test_dequantizes_to_the_centre_in_float() -> None:
    pixels = dequantize([[0, 500, 499, 999]], (64, 64))
    assert pixels.dtype == np.float32
    np.testing.assert_allclose(pixels, [[0.032, 32.032, 31.968, 63.968]], rtol=1e-6)


@given(st.lists(st.tuples(bins, bins, bins, bins), min_size=1, max_size=5), resolutions)
def test_quantize_inverts_dequantize(rows: list[tuple[int, int, int, int]], size: tuple[int, int]) -> None:
    assert quantize(dequantize(rows, size), size).tolist() == [list(row) for row in rows]


@given(st.floats(-1e6, 1e6), resolutions)
def test_every_coordinate_has_an_existing_bin_at_most_half_a_bin_off(value: float, size: tuple[int, int]) -> None:
    index = quantize([[value] * 4], size)
    assert ((index >= 0) & (index < BINS)).all()
    back = dequantize(index, size)[0]
    for pixel, side in zip(back, (*size, *size), strict=True):
        if 0 <= value < side:
            assert abs(pixel - value) <= 0.5 * side / BINS + 1e-3
