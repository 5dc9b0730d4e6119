"""Differences with the sign by which more is better."""

from __future__ import annotations

import pytest

from florence2.promotion.gains import Gain, exceeds, gain_in, note_on_few_images
from tests.evidence import compared


def test_an_error_rate_that_falls_is_a_gain() -> None:
    assert gain_in("map50", compared(-0.25, 0.75)) == Gain(0.25, -0.25, 0.75)
    assert gain_in("character_error_rate", compared(-0.25, 0.75)) == Gain(-0.25, -0.75, 0.25)


@pytest.mark.parametrize(("value", "limit", "is_above"), [(0.1, 0.0, True), (0.1, 0.1, False), (1e-16, 0.0, False)])
def test_rounding_errors_exceed_nothing(value: float, limit: float, is_above: bool) -> None:
    assert exceeds(value, limit) is is_above


def test_only_few_images_get_a_note() -> None:
    assert note_on_few_images(29) == " With 29 test images the interval is narrower than it should be."
    assert note_on_few_images(30) == ""
