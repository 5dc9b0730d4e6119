"""Characters that a terminal would obey, or cannot show, are escaped; all others stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.printable import first_line, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Stra\u00dfe \u72d7 a\\b.png", "Stra\u00dfe \u72d7 a\\b.png"),
        ("a\nb\x1b[2J\r", r"a\nb\x1b[2J\r"),
        ("\u202egnp.a\x85\x9b", r"\u202egnp.a\x85\x9b"),
        ("\udcff.png", r"\udcff.png"),
    ],
)
def test_characters_that_do_not_print_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_every_text_prints_on_one_line(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert printable(shown) == shown
    assert shown.encode().decode() == shown, "lone surrogates are escaped as well"


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such column.\n(Background on this error at ...)"), "no such column"),
        (ValueError(), "ValueError"),
        (ValueError("\n "), "ValueError"),
        (ValueError("x" * 1000), "x" * 300),
    ],
)
def test_an_error_of_another_library_becomes_one_line(error: ValueError, line: str) -> None:
    assert first_line(error) == line
