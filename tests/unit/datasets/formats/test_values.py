"""Checks of single values: what passes comes back, and messages stay short and printable."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.datasets.formats.values import BadValueError, checked_name, excerpt, joined, number, pixel_size


@given(st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9))
def test_numbers_come_back_also_from_their_texts(value: float) -> None:
    assert number(value, "x") == number(repr(value), "x") == number(f" {value!r}\n", "x") == value


@pytest.mark.parametrize(
    "value", [None, True, "", "x", "1_0", "\u0661", "nan", math.inf, -math.inf, math.nan, 10**4000, 1.1e9, [1], "0x1"]
)
def test_what_is_no_number(value: Any) -> None:
    with pytest.raises(BadValueError, match=r"^x is .{1,99}, not a finite number$"):
        number(value, "x")


@pytest.mark.parametrize("letter", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\u2028"])
def test_names_hold_no_control_characters(letter: str) -> None:
    with pytest.raises(BadValueError, match="control character") as caught:
        checked_name(f"a{letter}b", "the name")
    assert str(caught.value).isprintable()
    assert checked_name("ü b\u00a0'\".png", "the name") == "ü b\u00a0'\".png"


def test_excerpts_are_short() -> None:
    bomb: Any = []
    for _ in range(60):
        bomb = [bomb] * 9
    for value in (bomb, "x" * 1000, 16**9999, {str(key): "y" * 99 for key in range(99)}):
        assert len(excerpt(value)) < 500


def test_only_the_first_problems_are_listed() -> None:
    assert joined(["a", "b"]) == "a; b"
    assert joined(list("abcdefgh")) == "a; b; c; d; e; and 3 more"


@pytest.mark.parametrize(
    ("given_wh", "expected"),
    [
        ((20, 10), (20, 10)),
        (("20", "10.0"), (20, 10)),
        *(((width, 10), None) for width in (0, None, -1, math.nan, 10**20)),
    ],
)
def test_declared_sizes(given_wh: tuple[Any, Any], expected: tuple[int, int] | None) -> None:
    assert pixel_size(*given_wh) == expected
