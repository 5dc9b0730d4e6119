"""Checks of values that readers find in files: each returns the value, or raises with what is wrong."""

from __future__ import annotations

import contextlib
import re
import reprlib
from collections.abc import Sequence
from typing import Any

__all__ = ["BadValueError", "checked_name", "checked_text", "excerpt", "has_control", "joined", "number", "pixel_size"]

_LARGEST = 1e9
_SHOWN = 5
_CONTROL = re.compile("[\\x00-\\x1f\\x7f\\x85\\u2028\\u2029]")
_shown = reprlib.Repr()
_shown.maxstring = _shown.maxother = _shown.maxlong = 80
_shown.maxdict = _shown.maxlist = 4
_shown.maxlevel = 2


class BadValueError(ValueError):
    """A value is not valid; the message says why. Readers turn it into the error of a row; it never reaches users."""


def excerpt(value: Any) -> str:
    """Return a value in few printable characters, whatever it holds."""
    try:
        return _shown.repr(value)
    except ValueError:  # an integer of thousands of digits
        return f"a very large {type(value).__name__}"


def joined(problems: Sequence[str]) -> str:
    """Return problems as one text; the first few of them, and how many more there are."""
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "; ".join(problems[:_SHOWN]) + more


def checked_text(value: Any, what: str) -> str:
    """Return a text that can be written as UTF-8; JSON escapes can spell halves of surrogate pairs.

    Raises:
        BadValueError: it is not text, or holds such a half.
    """
    if not isinstance(value, str):
        raise BadValueError(f"{what} is {excerpt(value)}, not a text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise BadValueError(
            f"{what} holds half of a surrogate pair, which is not a character: {excerpt(value)}"
        ) from None
    return value


def has_control(text: str) -> bool:
    """Return whether a name holds a line break or another control character.

    Such names break lists of files, terminals and logs; no tool that exports annotations makes them.
    """
    return _CONTROL.search(text) is not None


def checked_name(value: Any, what: str) -> str:
    """Return the name of an image file unchanged.

    Raises:
        BadValueError: it is not text, empty, or holds a line break or another control character.
    """
    name = checked_text(value, what)
    if not name:
        raise BadValueError(f"{what} is empty")
    if has_control(name):
        raise BadValueError(f"{what} holds a line break or another control character: {excerpt(name)}")
    return name


def number(value: Any, what: str) -> float:
    """Return a coordinate, given as a JSON number or as a text.

    Raises:
        BadValueError: it is not a number, not finite, or beyond a thousand million.
    """
    found = value
    # float() would also take 1_0 and digits of other scripts.
    if isinstance(value, str) and value.isascii() and "_" not in value:
        with contextlib.suppress(ValueError):
            found = float(value)
    # Not isinstance: true and false are integers as well.
    if type(found) in (float, int) and -_LARGEST <= found <= _LARGEST:
        return float(found)
    raise BadValueError(f"{what} is {excerpt(value)}, not a finite number")


def pixel_size(width: Any, height: Any) -> tuple[int, int] | None:
    """Return the size of an image in pixels as annotations declare it; None if it is not valid."""
    try:
        size = number(width, "width"), number(height, "height")
    except BadValueError:
        return None
    return (int(size[0]), int(size[1])) if min(size) >= 1 else None
