"""Signatures of images: what is in them, and the brightness that is taken from them."""

from __future__ import annotations

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from florence2.images.signatures import LUMA_BYTES, decode_signature, mean_luma, signature


@settings(max_examples=20)
@given(st.integers(0, 255), st.integers(1, 90), st.integers(1, 90))
def test_an_even_image_has_the_luma_of_its_pixels(level: int, width: int, height: int) -> None:
    text = signature(Image.new("L", (width, height), level))
    cells = decode_signature(text)
    assert cells is not None and cells[LUMA_BYTES:] == bytes([128] * 32)
    assert cells[0] in (level - 1, level)  # Pillow rounds a few levels of luma down
    assert mean_luma(text) == pytest.approx(cells[0] / 255, abs=1e-12)


def test_luma_is_the_mean_of_the_pixels_but_for_the_margin_and_the_rounding_of_cells() -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((300, 200), Image.Resampling.BICUBIC)
    luma = np.asarray(image, dtype=np.float64) @ [0.299, 0.587, 0.114]
    inside = luma[8:192, 12:288].mean()
    # A cell is rounded to whole levels twice: scaled as RGB, then turned into luma. The triangle filter of an outer
    # cell has an eighth of its weight in the margin, a twenty-fourth of all; there, less than 60 levels are other.
    assert mean_luma(signature(image)) * 255 == pytest.approx(inside, abs=1 + 60 / 24)
    assert np.abs(np.concatenate([luma[:8], luma[192:]]).mean() - inside) < 60
    assert np.abs(np.concatenate([luma[:, :12], luma[:, 288:]], axis=1).mean() - inside) < 60


@pytest.mark.parametrize("text", ["", "x", "A" * 234, "A" * 240, "é" * 235, "*" * 235])
def test_what_is_no_signature_is_not_decoded(text: str) -> None:
    assert decode_signature(text) is None
    data = bytes(range(176))
    assert decode_signature(base64.b64encode(data).decode().rstrip("=")) == data
