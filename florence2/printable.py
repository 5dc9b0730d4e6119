"""Texts of users, made safe to print: a file name may hold a newline, or a sequence that controls the terminal."""

from __future__ import annotations

__all__ = ["first_line", "printable"]

_LONGEST = 300


def printable(text: str) -> str:
    r"""Return a text on one line, in which characters that do not print are escaped as in Python.

    Args:
        text: for example the name of a file or class; a newline becomes ``\n``, an escape ``\x1b``. Bytes that are not
            UTF-8, which file names may hold, are escaped, too.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def first_line(error: BaseException) -> str:
    """Return the first line of the message of another library's error, or its class if it has no message."""
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].rstrip(". ")[:_LONGEST]
